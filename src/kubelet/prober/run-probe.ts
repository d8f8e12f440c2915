// One run of a probe, of whatever handler. Upstream: prober.go runProbe.
import type { Container, Probe } from '../../api/types/core-v1.ts'
import type { Clock } from '../../base/clock.ts'
import type { RuntimeService } from '../../runtime/cri/cri.generated.ts'
import { runtimeErrorText } from '../runtime-view/runtime-error-text.ts'
import { execProbe } from './exec-probe.ts'
import { grpcProbe } from './grpc-probe.ts'
import { handlerPort } from './handler-port.ts'
import { httpProbe } from './http-probe.ts'
import type { ProbeOutcome } from './probe-outcome.ts'
import { tcpProbe } from './tcp-probe.ts'

/** An error is tried again at once before it is told. */
const TRIES = 3

export interface ProbeTarget {
  probe: Probe
  container: Container
  containerId: string
  podIP: string
}

export interface ProbeHands {
  runtime: RuntimeService
  clock: Clock
}

/** Throws only when the signal aborts. */
export async function runProbe(
  target: ProbeTarget,
  hands: ProbeHands,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  for (let tries = 1; ; tries++) {
    try {
      return await runOnce(target, hands, signal)
    } catch (error) {
      signal.throwIfAborted()
      if (tries === TRIES) return { result: 'error', output: runtimeErrorText(error) }
    }
  }
}

function runOnce(
  { probe, container, containerId, podIP }: ProbeTarget,
  { runtime, clock }: ProbeHands,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  const { exec, httpGet, tcpSocket, grpc } = probe
  const seconds = probe.timeoutSeconds || 1
  if (exec) return execProbe(exec, container, containerId, seconds, runtime, signal)
  if (httpGet) return httpProbe(httpGet, container, podIP, seconds * 1000, clock, signal)
  if (tcpSocket) {
    const port = handlerPort(tcpSocket.port, container)
    return tcpProbe(tcpSocket.host || podIP, port, seconds * 1000, clock, signal)
  }
  if (grpc) return grpcProbe(podIP, grpc.port, grpc.service ?? '', seconds * 1000, clock, signal)
  throw new Error(`missing probe handler for ${container.name}`)
}
