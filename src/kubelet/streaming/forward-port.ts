// One forwarded connection: a data and an error stream of its own connection to the runtime, so that a peer that does
// not read holds up nobody else.

import type { PortForwarder } from '../../api/node-access.ts'
import { joinStreams } from '../../base/join-streams.ts'
import type { SpdyStream } from '../../base/spdy/spdy-stream.ts'
import type { RuntimeService } from '../../runtime/cri/cri.generated.ts'
import { dialStreaming } from './dial-streaming.ts'

const PROTOCOL = 'portforward.k8s.io'

export function forwardPort(runtime: RuntimeService, podSandboxId: string): PortForwarder {
  return async (port, stream, signal) => {
    const { url } = await runtime.portForward({ podSandboxId, port: [port] })
    const connection = await dialStreaming(url, PROTOCOL, signal)
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
