// Ingresses. Upstream: pkg/apis/networking/validation ValidateIngress….
import { parseIp } from '../../ip.ts'
import {
  isDns1035Label,
  isDns1123Subdomain,
  isPortName,
  isPortNumber,
  isWildcardDns1123Subdomain,
} from '../../names.ts'
import type {
  HTTPIngressPath,
  Ingress,
  IngressBackend,
  IngressRule,
  IngressServiceBackend,
  IngressSpec,
} from '../../types/networking-v1.ts'
import { validateIp } from '../addresses.ts'
import { each, type FieldError, invalidValue, notSupported, required } from '../field-error.ts'
import { validateObjectMetaUpdate } from '../object-meta.ts'
import type { Validator } from '../validator.ts'
import { validateTypedReference } from './typed-reference.ts'

const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix']
const NOT_INSIDE = ['//', '/./', '/../', '%2f', '%2F']
const NOT_AT_THE_END = ['/..', '/.']
const CLASS_ANNOTATION = 'kubernetes.io/ingress.class'
const NO_ADDRESS = 'must be a DNS name, not an IP address'

function validateSpec(spec: IngressSpec, old?: IngressSpec): FieldError[] {
  const { rules = [], defaultBackend, tls = [], ingressClassName } = spec
  const errors: FieldError[] = []
  if (rules.length === 0 && !defaultBackend)
    errors.push(invalidValue('spec', null, 'either `defaultBackend` or `rules` must be specified'))
  if (defaultBackend) errors.push(...validateBackend(defaultBackend, 'spec.defaultBackend'))
  // What older servers let through stays.
  const anyWildcard = old?.rules?.some(rule => rule.host?.includes('*') && validateHttp(rule, '').length > 0)
  const anySecret = old?.tls?.some(
    ({ secretName }) => secretName && isDns1123Subdomain(secretName).length > 0,
  )
  return [
    ...errors,
    ...rules.flatMap((rule, index) => validateRule(rule, `spec.rules[${index}]`, anyWildcard ?? false)),
    ...tls.flatMap(({ hosts = [], secretName }, index) => [
      ...hosts.flatMap((host, at) => each(`spec.tls[${index}].hosts[${at}]`, host, isHost)),
      ...(secretName && !anySecret
        ? each(`spec.tls[${index}].secretName`, secretName, isDns1123Subdomain)
        : []),
    ]),
    ...(ingressClassName === undefined
      ? []
      : each('spec.ingressClassName', ingressClassName, isDns1123Subdomain)),
  ]
}

const isHost = (host: string) =>
  host.includes('*') ? isWildcardDns1123Subdomain(host) : isDns1123Subdomain(host)

function validateRule(rule: IngressRule, path: string, anyWildcard: boolean): FieldError[] {
  const { host } = rule
  const errors: FieldError[] = []
  if (host) {
    if (parseIp(host)) errors.push(invalidValue(`${path}.host`, host, NO_ADDRESS))
    errors.push(...each(`${path}.host`, host, isHost))
  }
  return host?.includes('*') && anyWildcard ? errors : [...errors, ...validateHttp(rule, path)]
}

function validateHttp({ http }: IngressRule, path: string): FieldError[] {
  if (!http) return []
  const paths = http.paths ?? []
  return [
    ...(paths.length === 0 ? [required(`${path}.http.paths`)] : []),
    ...paths.flatMap((one, index) => validatePath(one, `${path}.http.paths[${index}]`)),
  ]
}

function validatePath({ path: text = '', pathType, backend }: HTTPIngressPath, at: string): FieldError[] {
  if (pathType === null || pathType === undefined)
    return [required(`${at}.pathType`, 'pathType must be specified')]
  const refuse = (detail: string) => invalidValue(`${at}.path`, text, detail)
  const errors: FieldError[] = []
  if (!PATH_TYPES.includes(pathType)) errors.push(notSupported(`${at}.pathType`, pathType, PATH_TYPES))
  else if (!text.startsWith('/') && (text !== '' || pathType !== 'ImplementationSpecific'))
    errors.push(refuse('must be an absolute path'))
  if (pathType === 'Exact' || pathType === 'Prefix') {
    for (const part of NOT_INSIDE) if (text.includes(part)) errors.push(refuse(`must not contain '${part}'`))
    for (const end of NOT_AT_THE_END) if (text.endsWith(end)) errors.push(refuse(`cannot end with '${end}'`))
  }
  return [...errors, ...validateBackend(backend, `${at}.backend`)]
}

function validateBackend({ resource, service }: IngressBackend, path: string): FieldError[] {
  if (resource && service) return [invalidValue(path, '', 'cannot set both resource and service backends')]
  if (resource) return validateTypedReference(resource, `${path}.resource`)
  if (service) return validateService(service, path)
  return [invalidValue(path, '', 'resource or service backend is required')]
}

function validateService({ name, port }: IngressServiceBackend, path: string): FieldError[] {
  const errors = name
    ? each(`${path}.service.name`, name, isDns1035Label)
    : [required(`${path}.service.name`)]
  const { name: portName, number } = port ?? {}
  if (portName && number)
    return [...errors, invalidValue(path, '', 'cannot set both port name & port number')]
  if (portName) return [...errors, ...each(`${path}.service.port.name`, portName, isPortName)]
  if (!number) return [...errors, required(path, 'port name or number is required')]
  const bad = isPortNumber(number).map(detail => invalidValue(`${path}.service.port.number`, number, detail))
  return [...errors, ...bad]
}

/** The class is named in one place, or in both alike. */
function validateClassAnnotation({ metadata, spec }: Ingress): FieldError[] {
  const named = metadata.annotations?.[CLASS_ANNOTATION]
  const { ingressClassName } = spec
  if (named === undefined || ingressClassName === undefined || named === ingressClassName) return []
  const detail = 'must match `ingressClassName` when both are specified'
  return [invalidValue(`annotations.${CLASS_ANNOTATION}`, named, detail)]
}

function validateStatus({ metadata, status }: Ingress, old: Ingress): FieldError[] {
  const had = (old.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip ? [ip] : []))
  const errors = validateObjectMetaUpdate(metadata, old.metadata)
  for (const [index, { ip, hostname }] of (status?.loadBalancer?.ingress ?? []).entries()) {
    const path = `status.loadBalancer.ingress[${index}]`
    if (ip) errors.push(...validateIp(ip, `${path}.ip`, had))
    if (!hostname) continue
    errors.push(...each(`${path}.hostname`, hostname, isDns1123Subdomain))
    if (parseIp(hostname)) errors.push(invalidValue(`${path}.hostname`, hostname, NO_ADDRESS))
  }
  return errors
}

export const ingressValidator: Validator = {
  create: (ingress: Ingress) => [...validateSpec(ingress.spec), ...validateClassAnnotation(ingress)],
  subresources: {
    '': ({ metadata, spec }: Ingress, old: Ingress) => [
      ...validateObjectMetaUpdate(metadata, old.metadata),
      ...validateSpec(spec, old.spec),
    ],
    status: validateStatus,
  },
}
