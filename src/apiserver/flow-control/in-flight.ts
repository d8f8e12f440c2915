// How many requests run and wait in all levels together, reads and writes apart.
import type { RequestInfo } from '../http/request-info.ts'
import { HighWatermark } from './high-watermark.ts'

export type RequestKind = 'readOnly' | 'mutating'

const READS = new Set(['get', 'list', 'watch'])

export const kindOf = ({ verb }: RequestInfo): RequestKind => (READS.has(verb) ? 'readOnly' : 'mutating')

export class InFlight {
  readonly executing = { readOnly: new HighWatermark(), mutating: new HighWatermark() }
  readonly waiting = { readOnly: new HighWatermark(), mutating: new HighWatermark() }
}
