// A client that asks one URL over and over, each time over a new connection, and writes down what came back.
import { get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

const PAUSE_MS = 10
const PATIENCE_MS = 5_000

export interface ClientLoop extends AsyncDisposable {
  /** Bodies of the answers, in order. */
  readonly answers: string[]
  /** Everything that was no answer with 200. */
  readonly failures: string[]
  /** Ends the loop; the last request is waited for. */
  stop(): Promise<void>
}

export function clientLoop(url: string): ClientLoop {
  const answers: string[] = []
  const failures: string[] = []
  let stopped = false
  const work = async () => {
    while (!stopped) {
      await ask(url).then(
        body => void answers.push(body),
        error => void failures.push(`request ${answers.length + failures.length}: ${error.message}`),
      )
      await sleep(PAUSE_MS)
    }
  }
  const done = work()
  const stop = () => {
    stopped = true
    return done
  }
  return { answers, failures, stop, [Symbol.asyncDispose]: stop }
}

/** Rejects for whatever is not a 200. */
export function ask(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, timeout: PATIENCE_MS }, response => {
      let body = ''
      response.setEncoding('utf8').on('data', chunk => {
        body += chunk
      })
      response.once('end', () =>
        response.statusCode === 200
          ? resolve(body)
          : reject(new Error(`status ${response.statusCode}: ${body}`)),
      )
      response.once('error', reject)
    })
    request.once('timeout', () => request.destroy(new Error(`no answer within ${PATIENCE_MS} ms`)))
    request.once('error', reject)
  })
}
