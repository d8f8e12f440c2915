// Names such as 'acme.io/foo'. Upstream: apimachinery IsDomainPrefixedPath.
import { isDns1123Subdomain, isHttpPath } from '../../names.ts'
import { each, type FieldError, invalidValue, required } from '../field-error.ts'

export function validateDomainPrefixedPath(text: string, path: string): FieldError[] {
  if (text === '') return [required(path)]
  const slash = text.indexOf('/')
  const [host, rest] = [text.slice(0, Math.max(0, slash)), text.slice(slash + 1)]
  if (host === '' || rest === '') {
    return [invalidValue(path, text, 'must be a domain-prefixed path (such as "acme.io/foo")')]
  }
  return [...each(path, host, isDns1123Subdomain), ...each(path, rest, isHttpPath)]
}
