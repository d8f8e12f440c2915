// The names that published documents call types by: io.k8s.api.core.v1.Pod.
import type { SpecialName } from '../../api/schema/type-facts.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const API_EXTENSIONS = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1'

/** 'core/v1.Pod' is io.k8s.api.core.v1.Pod. */
export function schemaName(type: string): string {
  const [short, name] = type.split('.') as [string, string]
  if (short === 'meta/v1') return `${META}.${name}`
  if (short === 'apiextensions/v1') return `${API_EXTENSIONS}.${name}`
  return `io.k8s.api.${short.replace('/', '.')}.${name}`
}

const SPECIAL: Record<SpecialName, string> = {
  Quantity: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
  IntOrString: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
  RawExtension: 'io.k8s.apimachinery.pkg.runtime.RawExtension',
  Time: `${META}.Time`,
  MicroTime: `${META}.MicroTime`,
  Duration: `${META}.Duration`,
  FieldsV1: `${META}.FieldsV1`,
  JSON: `${API_EXTENSIONS}.JSON`,
  JSONSchemaPropsOrBool: `${API_EXTENSIONS}.JSONSchemaPropsOrBool`,
  JSONSchemaPropsOrArray: `${API_EXTENSIONS}.JSONSchemaPropsOrArray`,
  JSONSchemaPropsOrStringArray: `${API_EXTENSIONS}.JSONSchemaPropsOrStringArray`,
}

export function specialSchemaName(special: SpecialName): string {
  return SPECIAL[special]
}
