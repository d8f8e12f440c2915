// What the kubelet counts of its own work. Upstream: pkg/kubelet/metrics/metrics.go, pkg/kubelet/prober/prober_manager.go.
import type { Metric } from '../stats/prometheus-text.ts'
import { Counter, Histogram } from './instruments.ts'

/** Prometheus's default buckets, in seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export interface ProbeSubject {
  container: string
  namespace: string
  pod: string
  podUid: string
  /** 'Liveness', 'Readiness' or 'Startup'. */
  type: string
}

export class KubeletInstruments {
  readonly #probes = new Counter(
    'prober_probe_total',
    '[BETA] Cumulative number of a liveness, readiness or startup probe for a container by result.',
  )
  readonly #probeSeconds = new Histogram(
    'prober_probe_duration_seconds',
    '[ALPHA] Duration in seconds for a probe response.',
    BUCKETS,
  )
  readonly #operations = new Counter(
    'kubelet_runtime_operations_total',
    '[ALPHA] Cumulative number of runtime operations by operation type.',
  )
  readonly #operationErrors = new Counter(
    'kubelet_runtime_operations_errors_total',
    '[ALPHA] Cumulative number of runtime operation errors by operation type.',
  )
  readonly #operationSeconds = new Histogram(
    'kubelet_runtime_operations_duration_seconds',
    '[ALPHA] Duration in seconds of runtime operations. Broken down by operation type.',
    [...BUCKETS, 30, 60, 120, 300, 600],
  )
  readonly #startedPods = new Counter(
    'kubelet_started_pods_total',
    '[BETA] Cumulative number of pods started',
  )

  /** `result` is 'successful', 'failed' or 'unknown'. */
  probed(subject: ProbeSubject, result: string, seconds: number): void {
    const { container, namespace, pod, podUid, type } = subject
    this.#probes.add({ container, namespace, pod, pod_uid: podUid, probe_type: type, result })
    if (result !== 'unknown')
      this.#probeSeconds.observe({ container, namespace, pod, probe_type: type }, seconds)
  }

  /** The pod is gone: nothing more is told of its probes. */
  forgetProbes({ namespace, pod }: Pick<ProbeSubject, 'namespace' | 'pod'>): void {
    const isTheirs = (labels: Readonly<Record<string, string>>) =>
      labels.namespace === namespace && labels.pod === pod
    this.#probes.forget(isTheirs)
    this.#probeSeconds.forget(isTheirs)
  }

  operated(type: string, seconds: number, failed: boolean): void {
    const labels = { operation_type: type }
    this.#operations.add(labels)
    this.#operationSeconds.observe(labels, seconds)
    if (failed) this.#operationErrors.add(labels)
    else if (type === 'run_podsandbox') this.#startedPods.add({})
  }

  /** /metrics/probes */
  probeMetrics(): Metric[] {
    return [this.#probes.collect(), this.#probeSeconds.collect()]
  }

  /** Their part of /metrics. */
  workMetrics(): Metric[] {
    return [this.#operations, this.#operationErrors, this.#operationSeconds, this.#startedPods].map(one =>
      one.collect(),
    )
  }
}
