// Which Go packages the schema is read from, and what their types are called in this project.

/** Debian packages that hold the sources. */
export const DEBIAN_PACKAGES = [
  'golang-k8s-api-dev',
  'golang-k8s-apimachinery-dev',
  'golang-k8s-apiextensions-apiserver-dev',
  'golang-k8s-cri-api-dev',
]

export interface ApiPackage {
  /** Import path below GOPATH/src. */
  path: string
  /** 'core/v1': the prefix of type names in the facts, and with a dash the file name in src/api/types. */
  short: string
  /** API group as clients see it; undefined for packages that hold shared types only. */
  group?: string
  version: string
}

const api = (short: string, group: string): ApiPackage => ({
  path: `k8s.io/api/${short}`,
  short,
  group,
  version: short.split('/')[1]!,
})

/** Group versions that a v1.36 server can serve; the ones that were removed are left out. */
export const API_PACKAGES: ApiPackage[] = [
  { path: 'k8s.io/apimachinery/pkg/apis/meta/v1', short: 'meta/v1', group: 'meta.k8s.io', version: 'v1' },
  api('core/v1', ''),
  api('apps/v1', 'apps'),
  api('batch/v1', 'batch'),
  api('autoscaling/v1', 'autoscaling'),
  api('autoscaling/v2', 'autoscaling'),
  api('policy/v1', 'policy'),
  api('rbac/v1', 'rbac.authorization.k8s.io'),
  api('coordination/v1', 'coordination.k8s.io'),
  api('coordination/v1beta1', 'coordination.k8s.io'),
  api('coordination/v1alpha2', 'coordination.k8s.io'),
  api('discovery/v1', 'discovery.k8s.io'),
  api('events/v1', 'events.k8s.io'),
  api('networking/v1', 'networking.k8s.io'),
  api('networking/v1beta1', 'networking.k8s.io'),
  api('node/v1', 'node.k8s.io'),
  api('scheduling/v1', 'scheduling.k8s.io'),
  api('scheduling/v1alpha2', 'scheduling.k8s.io'),
  api('storage/v1', 'storage.k8s.io'),
  api('storage/v1beta1', 'storage.k8s.io'),
  api('storagemigration/v1beta1', 'storagemigration.k8s.io'),
  api('authentication/v1', 'authentication.k8s.io'),
  api('authorization/v1', 'authorization.k8s.io'),
  api('admissionregistration/v1', 'admissionregistration.k8s.io'),
  api('admissionregistration/v1beta1', 'admissionregistration.k8s.io'),
  api('admissionregistration/v1alpha1', 'admissionregistration.k8s.io'),
  api('admission/v1', 'admission.k8s.io'),
  api('certificates/v1', 'certificates.k8s.io'),
  api('certificates/v1beta1', 'certificates.k8s.io'),
  api('certificates/v1alpha1', 'certificates.k8s.io'),
  api('flowcontrol/v1', 'flowcontrol.apiserver.k8s.io'),
  api('resource/v1', 'resource.k8s.io'),
  api('resource/v1beta2', 'resource.k8s.io'),
  api('resource/v1beta1', 'resource.k8s.io'),
  api('resource/v1alpha3', 'resource.k8s.io'),
  api('apidiscovery/v2', 'apidiscovery.k8s.io'),
  api('apidiscovery/v2beta1', 'apidiscovery.k8s.io'),
  api('apiserverinternal/v1alpha1', 'internal.apiserver.k8s.io'),
  {
    path: 'k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1',
    short: 'apiextensions/v1',
    group: 'apiextensions.k8s.io',
    version: 'v1',
  },
]

/**
 * Go types that are written to JSON by code of their own. `ts` is the shape in TypeScript; the reader and
 * the protobuf codec know each by name (src/api/schema/special-types.ts).
 */
export const SPECIAL_TYPES: Record<string, { name: string; ts: string }> = {
  'k8s.io/apimachinery/pkg/api/resource.Quantity': { name: 'Quantity', ts: 'Quantity' },
  'k8s.io/apimachinery/pkg/util/intstr.IntOrString': { name: 'IntOrString', ts: 'IntOrString' },
  'k8s.io/apimachinery/pkg/apis/meta/v1.Time': { name: 'Time', ts: 'Time' },
  'k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime': { name: 'MicroTime', ts: 'MicroTime' },
  'k8s.io/apimachinery/pkg/apis/meta/v1.Duration': { name: 'Duration', ts: 'Duration' },
  'k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1': { name: 'FieldsV1', ts: 'FieldsV1' },
  'k8s.io/apimachinery/pkg/runtime.RawExtension': { name: 'RawExtension', ts: 'RawExtension' },
  'k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSON': { name: 'JSON', ts: 'unknown' },
  'k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrBool': {
    name: 'JSONSchemaPropsOrBool',
    ts: 'JSONSchemaProps | boolean',
  },
  'k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrArray': {
    name: 'JSONSchemaPropsOrArray',
    ts: 'JSONSchemaProps | JSONSchemaProps[]',
  },
  'k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrStringArray': {
    name: 'JSONSchemaPropsOrStringArray',
    ts: 'JSONSchemaProps | string[]',
  },
}
