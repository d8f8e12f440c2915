// The part of the kubelet's configuration file that means something here: kind KubeletConfiguration of
// kubelet.config.k8s.io/v1beta1, with upstream's field names, units and defaults.
import { parse } from 'yaml'
import { parseGoDuration } from '../../api/duration.ts'
import { PlainError } from '../../base/plain-error.ts'
import { parseThresholds } from '../eviction/threshold.ts'

export interface KubeletConfiguration {
  /** Signal → quantity or percentage. */
  evictionHard?: Record<string, string>
  evictionSoft?: Record<string, string>
  /** Signal → duration. */
  evictionSoftGracePeriod?: Record<string, string>
  /** Seconds. */
  evictionMaxPodGracePeriod?: number
  /** Duration. */
  evictionPressureTransitionPeriod?: string
}

const API_VERSION = 'kubelet.config.k8s.io/v1beta1'

type Check = (value: unknown) => boolean
const isMap: Check = value =>
  typeof value === 'object' && value !== null && Object.values(value).every(item => typeof item === 'string')
const isDuration: Check = value => typeof value === 'string' && parseGoDuration(value) !== undefined
const isCount: Check = value => Number.isInteger(value) && (value as number) >= 0

const FIELDS: Record<keyof KubeletConfiguration, Check> = {
  evictionHard: isMap,
  evictionSoft: isMap,
  evictionSoftGracePeriod: isMap,
  evictionMaxPodGracePeriod: isCount,
  evictionPressureTransitionPeriod: isDuration,
}

/** `file` is for the error. Throws PlainError that names what is wrong: a field without effect would be a trap. */
export function parseKubeletConfiguration(text: string, file: string): KubeletConfiguration {
  const { apiVersion, kind, ...fields } = readYaml(text, file)
  if (apiVersion !== API_VERSION || kind !== 'KubeletConfiguration')
    throw new PlainError(`${file} is no KubeletConfiguration: it must say apiVersion: ${API_VERSION}.`)
  for (const [name, value] of Object.entries(fields)) {
    const check = FIELDS[name as keyof KubeletConfiguration]
    if (!check)
      throw new PlainError(
        `${file}: the field ${name} is not known here; known are ${Object.keys(FIELDS).join(', ')}.`,
      )
    if (!check(value)) throw new PlainError(`${file}: ${name} cannot be ${JSON.stringify(value)}.`)
  }
  const configuration = fields as KubeletConfiguration
  const { evictionHard = {}, evictionSoft, evictionSoftGracePeriod } = configuration
  try {
    parseThresholds(evictionHard, evictionSoft, evictionSoftGracePeriod)
  } catch (error) {
    throw new PlainError(`${file}: ${(error as Error).message}.`)
  }
  return configuration
}

function readYaml(text: string, file: string): Record<string, unknown> {
  try {
    const value: unknown = parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch (error) {
    throw new PlainError(`${file} is no YAML: ${(error as Error).message}`)
  }
}
