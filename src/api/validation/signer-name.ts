// Names of signers: 'example.com/issuer'. Upstream: ValidateSignerName.
import { isDns1123Label, isDns1123Subdomain } from '../names.ts'
import { type FieldError, invalidValue, required, tooLong } from './field-error.ts'

const LONGEST = 571

export function validateSignerName(name: string, path: string): FieldError[] {
  if (!name) return [required(path)]
  const parts = name.split('/')
  if (parts.length !== 2) {
    const detail = 'must be a fully qualified domain and path of the form "example.com/signer-name"'
    return [invalidValue(path, name, detail)]
  }
  const [domain, rest] = parts as [string, string]
  if (!domain.includes('.'))
    return [invalidValue(path, name, 'should be a domain with at least two segments separated by dots')]
  const errors = isDns1123Subdomain(domain).map(detail =>
    invalidValue(path, domain, `validating label ${JSON.stringify(domain)}: ${detail}`),
  )
  for (const segment of rest.split('.')) {
    for (const detail of isDns1123Label(segment)) {
      errors.push(invalidValue(path, rest, `validating label ${JSON.stringify(segment)}: ${detail}`))
    }
  }
  return name.length > LONGEST ? [...errors, tooLong(path, LONGEST)] : errors
}
