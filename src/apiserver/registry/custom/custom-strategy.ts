// Objects of one version of a custom resource: what its schema says, and nothing else.
// Upstream: apiextensions-apiserver pkg/registry/customresource/strategy.go.
import { validateRules } from '../../../api/cel/validation-rules.ts'
import { findAll } from '../../../api/custom/json-path.ts'
import { ratchet } from '../../../api/custom/ratchet.ts'
import { validateValue } from '../../../api/custom/validate-value.ts'
import type { KubeObject } from '../../../api/kube-object.ts'
import type { ResourceInfo } from '../../../api/resources.ts'
import type { FieldErrorLike } from '../../../api/status-error.ts'
import type { CustomResourceDefinitionVersion, JSONSchemaProps } from '../../../api/types/apiextensions-v1.ts'
import type { FieldError } from '../../../api/validation/field-error.ts'
import { validateObjectMetaUpdate } from '../../../api/validation/object-meta.ts'
import { validateCreate } from '../../../api/validation/validation.ts'
import { deepEqual } from '../deep-equal.ts'
import { carryField } from '../strategies/default-strategy.ts'
import type { SelectableField, Strategy, UpdateStrategy } from '../strategy.ts'

export class CustomStrategy implements Strategy {
  readonly allowUnconditionalUpdate = false
  readonly allowCreateOnUpdate = false
  readonly garbageCollection = 'Background'
  readonly returnsDeletedObject = false
  readonly selectableFields: Readonly<Record<string, SelectableField>>
  readonly status?: UpdateStrategy
  readonly #info: ResourceInfo
  readonly #schema: JSONSchemaProps | undefined

  constructor(info: ResourceInfo, version: CustomResourceDefinitionVersion) {
    this.#info = info
    this.#schema = version.schema?.openAPIV3Schema
    this.selectableFields = Object.fromEntries(
      (version.selectableFields ?? []).map(({ jsonPath }) => [jsonPath.slice(1), fieldAt(jsonPath)]),
    )
    if (version.subresources?.status) this.status = this.#statusStrategy()
  }

  prepareForCreate(object: KubeObject): void {
    object.metadata.generation = 1
    if (this.status) delete object.status
  }

  prepareForUpdate(object: KubeObject, old: KubeObject): void {
    if (this.status) carryField(object, old, 'status')
    // Without a status of its own to leave out, every change of the object counts.
    const rest = ({ metadata: _, apiVersion: __, ...fields }: KubeObject) => fields
    const isChanged = !deepEqual(rest(object), rest(old))
    object.metadata.generation = (old.metadata.generation ?? 0) + (isChanged ? 1 : 0)
  }

  validate(object: KubeObject): readonly FieldErrorLike[] {
    return [...validateCreate(object, this.#info.namespaced, 'any'), ...this.#schemaErrors(object, undefined)]
  }

  validateUpdate(object: KubeObject, old: KubeObject): readonly FieldErrorLike[] {
    return [...metaErrors(object, old), ...this.#schemaErrors(object, old)]
  }

  /** Rules are asked only of what has the right shape. */
  #schemaErrors(object: KubeObject, old: KubeObject | undefined): readonly FieldErrorLike[] {
    const schema = this.#schema
    if (!schema) return []
    // What was wrong already and stays as it is is let be. Upstream: CRDValidationRatcheting.
    const news = (found: FieldError[]) => (old ? ratchet(found, object, old, schema) : found)
    const errors = news(validateValue(object, schema))
    return errors.length > 0 ? errors : news(validateRules(object, old, schema))
  }

  #statusStrategy(): UpdateStrategy {
    return {
      allowUnconditionalUpdate: false,
      allowCreateOnUpdate: false,
      prepareForUpdate(object, old) {
        const { status, metadata } = object
        for (const field of Object.keys(object)) if (!(field in old)) delete object[field]
        for (const field of Object.keys(old)) carryField(object, old, field)
        const { managedFields, resourceVersion } = metadata
        object.metadata = { ...old.metadata, resourceVersion, ...(managedFields && { managedFields }) }
        if (status === undefined) delete object.status
        else object.status = status
      },
      validateUpdate: (object, old) => [...metaErrors(object, old), ...this.#schemaErrors(object, old)],
    }
  }
}

const metaErrors = ({ metadata }: KubeObject, old: KubeObject) =>
  validateObjectMetaUpdate(metadata, old.metadata, 'metadata', 'any')

function fieldAt(path: string): SelectableField {
  return object => {
    const [value] = findAll(object, path)
    return value === undefined || value === null ? '' : String(value)
  }
}
