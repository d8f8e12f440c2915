// A resource as it is served: its store, and how its objects look in this version.
import type { KubeObject } from '../../api/kube-object.ts'
import type { ResourceInfo } from '../../api/resources.ts'
import type { DecodedObject, FieldValidation } from '../../api/schema/decode-object.ts'
import type { CustomResourceSubresourceScale } from '../../api/types/apiextensions-v1.ts'
import type { ResourceReader } from './resource-reader.ts'
import type { ResourceStore } from './resource-store.ts'

/** Turns objects of one served version into the stored one and back. */
export interface Conversion {
  /** `object` is unfrozen and may be taken apart. */
  toStored(object: KubeObject): KubeObject | Promise<KubeObject>
  /** `object` is frozen; so is the answer. */
  fromStored(object: KubeObject): KubeObject
  /** To be awaited before `fromStored` is asked for these: for conversions that others make. */
  prepare?(objects: readonly KubeObject[]): Promise<void>
}

export interface Endpoint {
  info: ResourceInfo
  store: ResourceStore
  reader: ResourceReader
  /** Only where this version is not the stored one. */
  conversion?: Conversion
  /** Reads bodies of kinds that are not built in. */
  decode?(body: unknown, validation: FieldValidation | undefined, problems: readonly string[]): DecodedObject
  /** Where a custom resource keeps what its scale shows. */
  scalePaths?: CustomResourceSubresourceScale
  /** A warning for everybody who uses the version. */
  deprecation?: string
}

/** The object in the endpoint's version. */
export async function serve(endpoint: Endpoint, object: KubeObject): Promise<KubeObject> {
  await endpoint.conversion?.prepare?.([object])
  return served(endpoint, object)
}

/** Only after `prepare`, where the conversion has that. */
export function served(endpoint: Endpoint, object: KubeObject): KubeObject {
  return endpoint.conversion ? endpoint.conversion.fromStored(object) : object
}
