// How many requests are worked on at once. What is long by nature (watches, logs, streams) does not count, and
// administrators always come through. Upstream: apiserver pkg/server/filters/maxinflight.go.
import type { UserInfo } from '../../api/request.ts'
import { tooManyRequests } from '../../api/status-error.ts'

/** Upstream's --max-requests-inflight and --max-mutating-requests-inflight. */
const MOST_READING = 400
const MOST_WRITING = 200

const READS = new Set(['get', 'list', 'watch'])

export class MaxInFlight {
  #reading = 0
  #writing = 0

  /** Answers how to tell that the request is over. Throws TooManyRequests. */
  enter(verb: string, { groups }: UserInfo): () => void {
    const isRead = READS.has(verb)
    const isFull = isRead ? this.#reading >= MOST_READING : this.#writing >= MOST_WRITING
    if (isFull && !groups.includes('system:masters')) {
      throw tooManyRequests('Too many requests, please try again later.', 1)
    }
    this.#count(isRead, 1)
    let isOver = false
    return () => {
      if (!isOver) this.#count(isRead, -1)
      isOver = true
    }
  }

  #count(isRead: boolean, by: 1 | -1): void {
    if (isRead) this.#reading += by
    else this.#writing += by
  }
}
