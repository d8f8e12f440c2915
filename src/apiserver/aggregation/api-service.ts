// APIServices: which part of the API another server answers. Kept like a custom resource, with this definition.
// Upstream: kube-aggregator pkg/apis/apiregistration.
import type { KubeObject } from '../../api/kube-object.ts'
import type { CustomResourceDefinition, JSONSchemaProps } from '../../api/types/apiextensions-v1.ts'

export interface ApiServiceCondition {
  type: string
  status: string
  lastTransitionTime?: string
  reason?: string
  message?: string
}

export interface ApiService {
  apiVersion: string
  kind: string
  metadata: KubeObject['metadata']
  spec: {
    group?: string
    version?: string
    /** Absent: this server answers. */
    service?: { namespace: string; name: string; port?: number }
    insecureSkipTLSVerify?: boolean
    caBundle?: string
    groupPriorityMinimum: number
    versionPriority: number
  }
  status?: { conditions?: ApiServiceCondition[] }
}

export const API_SERVICES = {
  group: 'apiregistration.k8s.io',
  version: 'v1',
  resource: 'apiservices',
} as const

const text: JSONSchemaProps = { type: 'string' }
const object = (properties: Record<string, JSONSchemaProps>, required: string[] = []): JSONSchemaProps => ({
  type: 'object',
  properties,
  ...(required.length > 0 && { required }),
})

const spec = object(
  {
    group: text,
    version: text,
    service: object({ namespace: text, name: text, port: { type: 'integer', default: 443 } }),
    insecureSkipTLSVerify: { type: 'boolean' },
    caBundle: { type: 'string', format: 'byte' },
    groupPriorityMinimum: { type: 'integer', minimum: 1, maximum: 20_000 },
    versionPriority: { type: 'integer', minimum: 1, maximum: 1_000 },
  },
  ['groupPriorityMinimum', 'versionPriority'],
)

const conditions: JSONSchemaProps = {
  type: 'array',
  items: object({ type: text, status: text, lastTransitionTime: text, reason: text, message: text }, [
    'type',
    'status',
  ]),
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
}

export const apiServiceDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${API_SERVICES.resource}.${API_SERVICES.group}` },
  spec: {
    group: API_SERVICES.group,
    scope: 'Cluster',
    names: {
      plural: API_SERVICES.resource,
      singular: 'apiservice',
      kind: 'APIService',
      categories: ['api-extensions'],
    },
    versions: [
      {
        name: API_SERVICES.version,
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: { openAPIV3Schema: object({ spec, status: object({ conditions }) }) },
      },
    ],
  },
} as unknown as CustomResourceDefinition

export const PREFIX = `/registry/${API_SERVICES.group}/${API_SERVICES.resource}/`

export const availability = ({ status }: ApiService): ApiServiceCondition | undefined =>
  status?.conditions?.find(({ type }) => type === 'Available')
