// /proc/net/dev: two lines of heading, then a line per interface; received bytes, packets, errors, dropped and four more
// columns, then the same for what was sent (proc(5)).
import type { NetworkInterfaceUsage } from '../../cri/cri.generated.ts'

interface Traffic {
  bytes: number
  packets: number
  errors: number
  dropped: number
}

export interface InterfaceCounters {
  name: string
  received: Traffic
  sent: Traffic
}

export function interfaceCounters(text: string): InterfaceCounters[] {
  return text
    .split('\n')
    .slice(2)
    .filter(line => line.includes(':'))
    .map(line => {
      const [name, figures] = line.split(':') as [string, string]
      const columns = figures.trim().split(/\s+/).map(Number)
      const traffic = (from: number): Traffic => {
        const [bytes = 0, packets = 0, errors = 0, dropped = 0] = columns.slice(from)
        return { bytes, packets, errors, dropped }
      }
      return { name: name.trim(), received: traffic(0), sent: traffic(8) }
    })
}

export function parseInterfaces(text: string): NetworkInterfaceUsage[] {
  return interfaceCounters(text).map(({ name, received, sent }) => ({
    name,
    rxBytes: { value: received.bytes },
    rxErrors: { value: received.errors },
    txBytes: { value: sent.bytes },
    txErrors: { value: sent.errors },
  }))
}
