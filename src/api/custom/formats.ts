// String formats of schemas that are looked at. Unknown ones say nothing, as upstream.
// Upstream: apiextensions-apiserver pkg/apiserver/validation/formats.go over kube-openapi's strfmt.
import { isIP, isIPv4, isIPv6 } from 'node:net'
import { isDns1123Label, isDns1123Subdomain } from '../names.ts'

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i

const formats: Record<string, (text: string) => boolean> = {
  'date-time': text => /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d/.test(text) && !Number.isNaN(Date.parse(text)),
  datetime: text => !Number.isNaN(Date.parse(text)),
  date: text => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)),
  email: text => /^[^@\s]+@[^@\s]+$/.test(text),
  hostname: text =>
    text.length <= 255 &&
    text.split('.').every(label => /^[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?$/i.test(label)),
  ipv4: isIPv4,
  ipv6: isIPv6,
  cidr: text => /^[^/]+\/\d{1,3}$/.test(text) && isIP(text.split('/')[0] ?? '') !== 0,
  uri: text => URL.canParse(text) || text.startsWith('/'),
  byte: text => /^[A-Za-z0-9+/]*={0,2}$/.test(text),
  uuid: text => UUID.test(text),
  uuid3: text => UUID.test(text),
  uuid4: text => UUID.test(text),
  uuid5: text => UUID.test(text),
  mac: text => /^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i.test(text),
  duration: text => /^-?(\d+(\.\d+)?(ns|us|µs|ms|s|m|h|d|w))+$/.test(text) || text === '0',
  'k8s-short-name': text => isDns1123Label(text).length === 0,
  'k8s-long-name': text => isDns1123Subdomain(text).length === 0,
}

export function formatProblem(format: string, text: string): boolean {
  const check = formats[format]
  return check !== undefined && !check(text)
}
