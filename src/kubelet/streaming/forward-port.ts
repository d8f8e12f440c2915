// One forwarded connection: a data and an error stream of its own connection to the runtime, so that a peer that does
// not read holds up nobody else.

import type { PortForwarder } from '../../api/node-access.ts'
import { joinStreams } from '../../base/join-streams.ts'
import type { SpdyStream } from '../../base/spdy/spdy-stream.ts'
import { type ClientPair, dialStreaming } from './dial-streaming.ts'

const PROTOCOL = 'portforward.k8s.io'

/** `urlOf`: where the port is to be asked for. */
export function forwardPort(
  urlOf: (port: number) => Promise<string> | string,
  pair?: ClientPair,
): PortForwarder {
  return async (port, stream, signal) => {
    const connection = await dialStreaming(await urlOf(port), PROTOCOL, signal, pair)
    const hangUp = () => connection.destroy()
    signal.addEventListener('abort', hangUp, { once: true })
    try {
      const open = (streamtype: string) =>
        connection.openStream({ streamtype, port: String(port), requestid: '0' })
      const errors = open('error')
      const problem = textOf(errors)
      errors.end()
      await joinStreams(stream, open('data'))
      const words = await problem
      if (words) throw new Error(words)
    } finally {
      signal.removeEventListener('abort', hangUp)
      connection.destroy()
    }
  }
}

async function textOf(stream: SpdyStream): Promise<string> {
  let text = ''
  try {
    for await (const chunk of stream) text += (chunk as Buffer).toString('utf8')
  } catch {
    // The connection is gone: what was said before counts.
  }
  return text
}
