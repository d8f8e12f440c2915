// /livez, /readyz and /healthz: each a list of named checks, as apiserver's healthz package prints them.
export interface HealthCheck {
  name: string
  /** Throws, or rejects, when unhealthy. */
  check: () => void | Promise<void>
}

export interface HealthChecks {
  livez: readonly HealthCheck[]
  readyz: readonly HealthCheck[]
}

export interface HealthAnswer {
  code: number
  text: string
}

const PING: HealthCheck = { name: 'ping', check: () => {} }

export function isHealthPath(path: string): boolean {
  return /^\/(livez|readyz|healthz)(\/|$)/.test(path)
}

/** undefined when the path names no check. `onFailure` gets what the answer withholds. */
export async function answerHealth(
  path: string,
  query: URLSearchParams,
  checks: HealthChecks,
  onFailure: (name: string, error: unknown) => void,
): Promise<HealthAnswer | undefined> {
  const [, endpoint = '', name] = path.replace(/\/$/, '').split('/')
  const all = [PING, ...(endpoint === 'readyz' ? checks.readyz : checks.livez)]
  if (name !== undefined)
    return answerOne(
      all.find(check => check.name === name),
      onFailure,
    )
  const excluded = new Set(query.getAll('exclude'))
  const results = await Promise.all(
    all.map(async entry => ({
      name: entry.name,
      outcome: excluded.has(entry.name) ? ('excluded' as const) : await run(entry, onFailure),
    })),
  )
  return summary(endpoint, results, query.has('verbose'))
}

type Outcome = 'ok' | 'failed' | 'excluded'

async function run(entry: HealthCheck, onFailure: (name: string, error: unknown) => void): Promise<Outcome> {
  try {
    await entry.check()
    return 'ok'
  } catch (error) {
    onFailure(entry.name, error)
    return 'failed'
  }
}

async function answerOne(
  entry: HealthCheck | undefined,
  onFailure: (name: string, error: unknown) => void,
): Promise<HealthAnswer | undefined> {
  if (!entry) return undefined
  return (await run(entry, onFailure)) === 'ok'
    ? { code: 200, text: 'ok' }
    : { code: 500, text: 'internal server error: reason withheld\n' }
}

const LINES: Record<Outcome, (name: string) => string> = {
  ok: name => `[+]${name} ok\n`,
  failed: name => `[-]${name} failed: reason withheld\n`,
  excluded: name => `[+]${name} excluded: ok\n`,
}

function summary(
  endpoint: string,
  results: { name: string; outcome: Outcome }[],
  verbose: boolean,
): HealthAnswer {
  const lines = results.map(({ name, outcome }) => LINES[outcome](name)).join('')
  if (results.some(({ outcome }) => outcome === 'failed')) {
    return { code: 500, text: `${lines}${endpoint} check failed\n` }
  }
  return { code: 200, text: verbose ? `${lines}${endpoint} check passed\n` : 'ok' }
}
