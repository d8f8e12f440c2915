// IngressClasses. Upstream: pkg/apis/networking/validation ValidateIngressClass.
import { isDns1123Label } from '../../names.ts'
import type { IngressClass, IngressClassParametersReference } from '../../types/networking-v1.ts'
import { validateDomainPrefixedPath } from '../batch/domain-prefixed-path.ts'
import {
  each,
  type FieldError,
  forbiddenField,
  immutable,
  notSupported,
  required,
  tooLong,
} from '../field-error.ts'
import type { Validator } from '../validator.ts'
import { validateTypedReference } from './typed-reference.ts'

const LONGEST_CONTROLLER = 250
const SCOPES = ['Cluster', 'Namespace']

function validateClass({ spec }: IngressClass): FieldError[] {
  const { controller = '', parameters } = spec
  return [
    ...(controller.length > LONGEST_CONTROLLER ? [tooLong('spec.controller', LONGEST_CONTROLLER)] : []),
    ...validateDomainPrefixedPath(controller, 'spec.controller'),
    ...(parameters ? validateParameters(parameters, 'spec.parameters') : []),
  ]
}

function validateParameters(parameters: IngressClassParametersReference, path: string): FieldError[] {
  const { scope, namespace } = parameters
  const errors = validateTypedReference(parameters, path)
  if (scope === null || scope === undefined) return [...errors, required(`${path}.scope`)]
  if (!SCOPES.includes(scope)) return [...errors, notSupported(`${path}.scope`, scope, SCOPES)]
  if (scope === 'Cluster') {
    const detail = "`parameters.scope` is set to 'Cluster'"
    return namespace === undefined ? errors : [...errors, forbiddenField(`${path}.namespace`, detail)]
  }
  if (namespace === undefined)
    return [...errors, required(`${path}.namespace`, "`parameters.scope` is set to 'Namespace'")]
  return [...errors, ...each(`${path}.namespace`, namespace, isDns1123Label)]
}

export const ingressClassValidator: Validator = {
  create: validateClass,
  update: ({ spec }: IngressClass, old: IngressClass) =>
    immutable('spec.controller', spec.controller ?? '', old.spec.controller ?? ''),
}
