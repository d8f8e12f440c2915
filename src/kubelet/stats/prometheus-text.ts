// The text format of Prometheus, version 0.0.4.

export interface Metric {
  name: string
  help: string
  type: 'counter' | 'gauge' | 'histogram'
  samples: Sample[]
}

export interface Sample {
  /** What follows the metric's name: a histogram has '_bucket', '_sum' and '_count'. */
  suffix?: string
  labels: Record<string, string>
  value: number
  /** Milliseconds since the epoch. */
  at?: number
}

export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Metrics without samples are left out. */
export function prometheusText(metrics: readonly Metric[]): string {
  return metrics
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, help, type, samples }) => {
      const lines = samples.map(
        sample =>
          `${name}${sample.suffix ?? ''}${labelText(sample.labels)} ${sample.value}${timeText(sample.at)}\n`,
      )
      return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
    })
    .join('')
}

function labelText(labels: Record<string, string>): string {
  const entries = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return entries.length > 0 ? `{${entries.join(',')}}` : ''
}

const escaped = (value: string) =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

const timeText = (at: number | undefined) => (at === undefined ? '' : ` ${at}`)
