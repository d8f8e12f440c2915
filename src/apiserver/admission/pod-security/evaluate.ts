// What of a level's standards a pod violates. Pure. Upstream: pod-security-admission/policy/registry.go.
import { baselineChecks } from './baseline-checks.ts'
import type { CheckPod, PodCheck, PodLike, Violation } from './check.ts'
import type { LevelVersion } from './policy.ts'
import { restrictedChecks } from './restricted-checks.ts'

export function violationsOf(pod: PodLike, { level, minor }: LevelVersion): Violation[] {
  if (level === 'privileged') return []
  const inVersion = (checks: readonly PodCheck[]) =>
    checks.flatMap(({ id, overrides, versions }) => {
      const check = versions.findLast(([since]) => since <= minor)?.[1]
      return check ? [{ id, overrides, check }] : []
    })
  const restricted = level === 'restricted' ? inVersion(restrictedChecks) : []
  const overridden = new Set(restricted.map(({ overrides }) => overrides))
  const checks = [...inVersion(baselineChecks).filter(({ id }) => !overridden.has(id)), ...restricted]
  return checks.flatMap(({ check }: { check: CheckPod }) => check(pod) ?? [])
}

/** 'privileged (container "a" must not …), hostPort (…)'. */
export const describeViolations = (violations: readonly Violation[]): string =>
  violations.map(({ reason, detail }) => (detail ? `${reason} (${detail})` : reason)).join(', ')

export const reasonsOf = (violations: readonly Violation[]): string =>
  violations.map(({ reason }) => reason).join(', ')
