import { readFileSync } from 'node:fs'

/** With a local stub resolver, pods need the file behind it. */
export function readHostResolvConf(): string {
  for (const file of ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf']) {
    try {
      const text = readFileSync(file, 'utf8')
      if (file !== '/etc/resolv.conf' || !/^nameserver\s+127\.0\.0\.53/m.test(text)) return text
    } catch {
      // The next one, or none: pods then have only the cluster's DNS.
    }
  }
  return ''
}
