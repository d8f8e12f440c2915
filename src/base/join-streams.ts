// Two ends of one conversation: who asked for it, and who answers.
import type { Duplex } from 'node:stream'

/**
 * Copies both ways until the answering side has said all and the asking side has been given it, or either is gone. The
 * asking side may have ended long before; what it says after the answer's end is dropped. `answering` is destroyed then.
 */
export async function joinStreams(asking: Duplex, answering: Duplex): Promise<void> {
  const ignore = () => {}
  asking.on('error', ignore)
  answering.on('error', ignore)
  asking.pipe(answering)
  answering.pipe(asking)
  await new Promise<void>(resolve => {
    asking.once('finish', resolve)
    asking.once('close', resolve)
    answering.once('close', () => {
      if (!answering.readableEnded) resolve()
    })
    if (asking.destroyed || answering.destroyed) resolve()
  })
  asking.unpipe(answering)
  answering.destroy()
  asking.resume()
}
