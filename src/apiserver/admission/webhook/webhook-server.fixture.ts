// A webhook on this machine, for tests: HTTPS with a certificate of its own, answers as it is told.
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { selfSigned } from '../../../base/x509/self-signed.fixture.ts'

export interface WebhookServer {
  server: Server
  /** As configurations of webhooks have it. */
  config: { url: string; caBundle: string }
  close(): void
}

/** `answer` turns what was asked into the body of the answer; undefined: there is none. */
export async function startWebhook(answer: (review: never) => object | undefined): Promise<WebhookServer> {
  const identity = selfSigned('webhook', { usage: 'authority', ipAddresses: ['127.0.0.1'] })
  const server = createServer(identity, async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    const body = answer(JSON.parse(text) as never)
    if (body) response.end(JSON.stringify(body))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    server,
    config: {
      url: `https://127.0.0.1:${port}/hook`,
      caBundle: Buffer.from(identity.cert).toString('base64'),
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
