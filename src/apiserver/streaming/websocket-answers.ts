// Answers that go on, as messages of a WebSocket: a log's bytes (upstream: wsstream.Reader) and the events of a watch
// (upstream: WatchServer.HandleWS). For clients that can open nothing else, such as browsers.
import type { WebSocket } from 'ws'
import { orAnswerPlainly } from './pod-streaming.ts'
import type { UpgradeRequest } from './upgrade.ts'
import { acceptWebSocket, chooseSubprotocol, sendMessage } from './websocket.ts'

const BASE64 = 'base64.binary.k8s.io'
const SPOKEN = ['', 'binary.k8s.io', BASE64]

/** Until the source ends or the client is gone. */
export function sendBytes(upgrade: UpgradeRequest, body: AsyncIterable<Uint8Array>): Promise<void> {
  return orAnswerPlainly(upgrade, () => sendBytesOver(upgrade, body))
}

async function sendBytesOver(upgrade: UpgradeRequest, body: AsyncIterable<Uint8Array>): Promise<void> {
  const protocol = chooseSubprotocol(upgrade.request, SPOKEN)
  const webSocket = acceptWebSocket(upgrade.request, upgrade.socket, upgrade.head, protocol)
  if (!webSocket) return
  // The client learns that something will come.
  await sendMessage(webSocket, Buffer.alloc(0))
  await sendAll(webSocket, body, chunk => {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    return protocol === BASE64 ? bytes.toString('base64') : bytes
  })
}

/** One text message per event. */
export async function sendEvents(upgrade: UpgradeRequest, events: AsyncIterable<string>): Promise<void> {
  const [asked = ''] = [upgrade.request.headers['sec-websocket-protocol'] ?? ''].flatMap(value =>
    value.split(','),
  )
  const webSocket = acceptWebSocket(upgrade.request, upgrade.socket, upgrade.head, asked.trim())
  if (webSocket) await sendAll(webSocket, events, event => event)
}

async function sendAll<T>(
  webSocket: WebSocket,
  source: AsyncIterable<T>,
  asMessage: (item: T) => Buffer | string,
): Promise<void> {
  // What clients say is of no interest, but must be read for their close to be seen.
  webSocket.resume()
  try {
    for await (const item of source) {
      if (webSocket.readyState !== webSocket.OPEN) break
      await sendMessage(webSocket, asMessage(item))
    }
    webSocket.close(1000)
  } catch {
    // The client went away, or the source broke: it sees the connection cut.
    webSocket.terminate()
  }
}
