// A resource as it is served: its store, and how its objects look in this version.
import type { KubeObject } from '../../api/kube-object.ts'
import type { ResourceInfo } from '../../api/resources.ts'
import type { DecodedObject, FieldValidation } from '../../api/schema/decode-object.ts'
import type { FieldErrorLike } from '../../api/status-error.ts'
import type { CustomResourceSubresourceScale } from '../../api/types/apiextensions-v1.ts'
import type { TrackedKind } from '../managed-fields/field-manager.ts'
import { type Shape, shapeOfKind } from '../managed-fields/shape.ts'
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
  /** What this version asks besides, of objects in the stored shape; `old` is absent on create. */
  validate?(object: KubeObject, old: KubeObject | undefined): readonly FieldErrorLike[]
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
  /** How a custom kind is taken apart for field ownership; built-in kinds are known. */
  shape?: Shape
  /** A warning for everybody who uses the version. */
  deprecation?: string
}

export function trackedKind({ info, store, shape }: Endpoint): TrackedKind {
  const apiVersion = info.group ? `${info.group}/${info.version}` : info.version
  return {
    shape: shape ?? shapeOfKind(apiVersion, info.kind),
    hasStatus: store.strategy.status !== undefined,
  }
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
