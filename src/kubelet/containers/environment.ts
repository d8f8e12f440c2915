// A container's environment from all its sources. Upstream: kubelet_pods.go makeEnvironmentVariables.
import type { Container, EnvVar, EnvVarSource, FileKeySelector, Pod } from '../../api/types/core-v1.ts'
import { ConfigError } from './config-error.ts'
import { envFileValue } from './env-file.ts'
import { expand } from './expand.ts'
import { type FieldFacts, fieldValue } from './field-path.ts'
import type { ObjectSource } from './object-source.ts'
import { resourceFieldValue } from './resource-field.ts'
import { serviceEnv } from './service-env.ts'

export interface EnvironmentFacts extends FieldFacts {
  allocatable: Readonly<Record<string, string>>
  /** The text of a file in one of the pod's volumes; undefined when it is not there. */
  volumeFile(pod: Pod, volume: string, path: string): Promise<string | undefined>
}

export interface Environment {
  variables: Map<string, string>
  /** Keys of envFrom sources that cannot be names; for the event InvalidEnvironmentVariableNames. */
  skipped: string[]
}

/** Throws ConfigError when something that is not optional is missing. */
export async function environment(
  pod: Pod,
  container: Container,
  source: ObjectSource,
  facts: EnvironmentFacts,
): Promise<Environment> {
  const namespace = pod.metadata.namespace ?? ''
  const ofServices = serviceEnv(
    await source.services(namespace),
    namespace,
    pod.spec.enableServiceLinks !== false,
  )
  const { variables, skipped } = await fromSources(container, namespace, source)
  const known = (name: string) => variables.get(name) ?? ofServices.get(name)
  for (const variable of container.env ?? []) {
    const value = await variableValue(pod, container, variable, source, facts, known)
    if (value !== undefined) variables.set(variable.name, value)
  }
  for (const [name, value] of ofServices) if (!variables.has(name)) variables.set(name, value)
  return { variables, skipped }
}

async function fromSources(
  container: Container,
  namespace: string,
  source: ObjectSource,
): Promise<Environment> {
  const variables = new Map<string, string>()
  const skipped: string[] = []
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    const data = configMapRef
      ? await configMapData(source, namespace, configMapRef)
      : await secretData(source, namespace, secretRef ?? {})
    const invalid = Object.keys(data).filter(key => !isVariableName(prefix + key))
    for (const [key, value] of Object.entries(data)) {
      if (isVariableName(prefix + key)) variables.set(prefix + key, value)
    }
    if (invalid.length === 0) continue
    const [kind, name] = configMapRef ? ['configMap', configMapRef.name] : ['secret', secretRef?.name]
    skipped.push(
      `Keys [${invalid.sort().join(', ')}] from the EnvFrom ${kind} ${namespace}/${name} were skipped since they are considered invalid environment variable names.`,
    )
  }
  return { variables, skipped }
}

/** Anything printable without '=': RelaxedEnvironmentVariableValidation. */
const isVariableName = (name: string) => /^[\x20-\x3c\x3e-\x7e]+$/.test(name)

interface Reference {
  name?: string
  optional?: boolean
}

async function configMapData(source: ObjectSource, namespace: string, { name = '', optional }: Reference) {
  const found = await source.findConfigMap(namespace, name)
  if (!found && !optional) throw new ConfigError(`configmap "${name}" not found`)
  return found?.data ?? {}
}

async function secretData(source: ObjectSource, namespace: string, { name = '', optional }: Reference) {
  const found = await source.findSecret(namespace, name)
  if (!found && !optional) throw new ConfigError(`secret "${name}" not found`)
  return Object.fromEntries(Object.entries(found?.data ?? {}).map(([key, value]) => [key, decode(value)]))
}

const decode = (base64: string) => Buffer.from(base64, 'base64').toString()

async function variableValue(
  pod: Pod,
  container: Container,
  { value, valueFrom }: EnvVar,
  source: ObjectSource,
  facts: EnvironmentFacts,
  known: (name: string) => string | undefined,
): Promise<string | undefined> {
  if (value) return expand(value, known)
  if (!valueFrom) return ''
  return valueFromSource(pod, container, valueFrom, source, facts)
}

async function valueFromSource(
  pod: Pod,
  container: Container,
  { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef }: EnvVarSource,
  source: ObjectSource,
  facts: EnvironmentFacts,
): Promise<string | undefined> {
  const namespace = pod.metadata.namespace ?? ''
  if (fieldRef) return fieldValue(pod, fieldRef.fieldPath, facts)
  if (resourceFieldRef) return resourceFieldValue(pod, container, resourceFieldRef, facts.allocatable)
  if (configMapKeyRef) {
    const data = await configMapData(source, namespace, configMapKeyRef)
    return keyed(
      data,
      configMapKeyRef.key,
      !!configMapKeyRef.optional,
      `ConfigMap ${namespace}/${configMapKeyRef.name}`,
    )
  }
  if (secretKeyRef) {
    const data = await secretData(source, namespace, secretKeyRef)
    return keyed(data, secretKeyRef.key, !!secretKeyRef.optional, `Secret ${namespace}/${secretKeyRef.name}`)
  }
  if (fileKeyRef) return valueFromFile(pod, fileKeyRef, facts)
  return ''
}

/** Upstream: the FileKeyRef case of makeEnvironmentVariables. */
async function valueFromFile(
  pod: Pod,
  { volumeName = '', path = '', key = '', optional }: FileKeySelector,
  { volumeFile }: EnvironmentFacts,
): Promise<string | undefined> {
  const text = await volumeFile(pod, volumeName, path)
  const value = text === undefined ? undefined : parsed(text, key, path)
  if (value !== undefined || optional) return value
  throw new ConfigError(`environment variable key "${key}" not found in file "${path}"`)
}

function parsed(text: string, key: string, path: string): string | undefined {
  try {
    return envFileValue(text, key)
  } catch (error) {
    throw new ConfigError(`couldn't parse env file "${path}": ${(error as Error).message}`)
  }
}

function keyed(
  data: Record<string, string>,
  key: string,
  optional: boolean,
  where: string,
): string | undefined {
  if (Object.hasOwn(data, key)) return data[key]!
  if (optional) return undefined
  throw new ConfigError(`couldn't find key ${key} in ${where}`)
}
