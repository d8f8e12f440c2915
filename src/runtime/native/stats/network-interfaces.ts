// /proc/net/dev: two lines of heading, then a line per interface; received bytes, packets, errors and five more
// columns, then the same for what was sent (proc(5)).
import type { NetworkInterfaceUsage } from '../../cri/cri.generated.ts'

export function parseInterfaces(text: string): NetworkInterfaceUsage[] {
  return text
    .split('\n')
    .slice(2)
    .filter(line => line.includes(':'))
    .map(line => {
      const [name, figures] = line.split(':') as [string, string]
      const columns = figures.trim().split(/\s+/).map(Number)
      const value = (index: number) => ({ value: columns[index] ?? 0 })
      return {
        name: name.trim(),
        rxBytes: value(0),
        rxErrors: value(2),
        txBytes: value(8),
        txErrors: value(10),
      }
    })
}
