import { constants } from 'node:os'

const REAL_TIME = { MIN: 34, MAX: 64 } as const

/** 'SIGTERM', 'SIGRTMIN+3' (as images write it), 'SIGRTMINPLUS3' (as the CRI does) or '15'. Throws for anything else. */
export function signalNumber(name: string): number {
  if (/^\d+$/.test(name)) return Number(name)
  const realTime = /^SIGRT(MIN|MAX)(?:(\+|-|PLUS|MINUS)(\d+))?$/.exec(name)
  if (realTime) {
    const [, from, sign = '+', distance = '0'] = realTime
    const up = sign === '+' || sign === 'PLUS' ? 1 : -1
    return REAL_TIME[from as 'MIN' | 'MAX'] + up * Number(distance)
  }
  // Older names of the same signals, which Node does not list.
  const same = { SIGCLD: 'SIGCHLD' }[name] ?? name
  const number = (constants.signals as Record<string, number>)[same]
  if (number === undefined) throw new Error(`there is no signal ${name}`)
  return number
}
