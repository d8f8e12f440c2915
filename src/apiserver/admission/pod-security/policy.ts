// Which levels of the Pod Security Standards a namespace asks for, in its labels. Upstream: pod-security-admission/api.
import { type FieldError, invalidValue } from '../../../api/validation/field-error.ts'

export type Level = 'privileged' | 'baseline' | 'restricted'

export interface LevelVersion {
  level: Level
  /** Minor of v1; Infinity for 'latest'. */
  minor: number
}

export interface Policy {
  enforce: LevelVersion
  audit: LevelVersion
  warn: LevelVersion
}

const PREFIX = 'pod-security.kubernetes.io/'
const LEVELS: readonly Level[] = ['privileged', 'baseline', 'restricted']
const LATEST = Number.POSITIVE_INFINITY
const NOTHING: LevelVersion = { level: 'privileged', minor: LATEST }

/** A policy always comes back: enforcement of what cannot be read is the strictest, audit and warnings have none. */
export function policyOf(labels: Record<string, string> = {}): { policy: Policy; errors: FieldError[] } {
  const errors: FieldError[] = []
  const read = (mode: keyof Policy, fallback: Level): LevelVersion => {
    const level = labels[PREFIX + mode]
    const version = labels[`${PREFIX}${mode}-version`]
    const minor = version === undefined ? LATEST : parseVersion(version)
    const isKnown = level === undefined || LEVELS.includes(level as Level)
    if (!isKnown) errors.push(wrong(mode, level, `must be one of ${LEVELS.join(', ')}`))
    if (minor === undefined) errors.push(wrong(`${mode}-version`, version!, 'must be "latest" or "v1.x"'))
    const known = isKnown ? ((level as Level | undefined) ?? NOTHING.level) : fallback
    return { level: known, minor: minor ?? LATEST }
  }
  const enforce = read('enforce', 'restricted')
  return { policy: { enforce, audit: read('audit', 'privileged'), warn: read('warn', 'privileged') }, errors }
}

const wrong = (label: string, value: string, why: string) =>
  invalidValue(`metadata.labels[${PREFIX}${label}]`, value, why)

function parseVersion(text: string): number | undefined {
  if (text === 'latest') return LATEST
  const match = /^v1\.(0|[1-9][0-9]*)$/.exec(text)
  return match ? Number(match[1]) : undefined
}

/** 'restricted:latest', 'baseline:v1.25'. */
export const describeLevel = ({ level, minor }: LevelVersion): string =>
  `${level}:${minor === LATEST ? 'latest' : `v1.${minor}`}`

export const isSame = (a: LevelVersion, b: LevelVersion): boolean =>
  a.level === b.level && a.minor === b.minor

/** More than nothing when `a` is the stricter. */
export const compareLevels = (a: Level, b: Level): number => LEVELS.indexOf(a) - LEVELS.indexOf(b)
