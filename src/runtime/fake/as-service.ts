// Parts of the fake runtime as the one interface that its users know, with the manners of calls over a wire.
import type * as cri from '../cri/cri.generated.ts'
import { CRI_CODE, CriError } from '../cri/cri-error.ts'

export type Service = cri.RuntimeService & cri.ImageService

/** Each call goes to the first part that has it; one that none has is refused as a server refuses it. */
export function asService(...parts: readonly object[]): Service {
  return new Proxy(parts[0]!, {
    get(_, name) {
      const owner = parts.find(part => typeof Reflect.get(part, name) === 'function')
      if (owner) return givenUp(Reflect.get(owner, name).bind(owner))
      return name === 'then' ? undefined : () => Promise.reject(unimplemented(String(name)))
    },
  }) as Service
}

/** Whoever aborts a call does not wait for it, and what it does goes on. */
function givenUp(call: (request: unknown, signal?: AbortSignal) => unknown) {
  return (request: unknown, signal?: AbortSignal): unknown => {
    const answer = call(request, signal)
    if (!signal || !(answer instanceof Promise)) return answer
    const done = new AbortController()
    const aborted = new Promise((_, reject) => {
      if (signal.aborted) reject(signal.reason)
      signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: done.signal })
    })
    aborted.catch(() => {})
    return Promise.race([answer, aborted]).finally(() => done.abort())
  }
}

const unimplemented = (name: string) =>
  new CriError(CRI_CODE.unimplemented, `the fake runtime has no ${name}`)
