// The file that says how registries are reached (`up --registries FILE`), in the format that k3s and RKE2 users know
// as registries.yaml: mirrors by registry name, and credentials and TLS by the name of the server asked.
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import { PlainError } from '../../../base/plain-error.ts'
import type { RegistriesConfig, RegistryConfig } from './registry-config.ts'

type Fields = Record<string, unknown>

/** Text of a file → configuration; relative paths in it are relative to it. Throws PlainError that names the field. */
export function parseRegistries(text: string, file: string): RegistriesConfig {
  const reader = new Reader(file)
  const root = reader.known(reader.yaml(text), '', ['mirrors', 'configs'])
  const registries: Record<string, RegistryConfig> = {}
  for (const [name, mirror] of reader.entries(root, 'mirrors')) {
    const { endpoint = [] } = reader.known(mirror, `mirrors.${name}`, ['endpoint'])
    registries[name] = { mirrors: reader.urls(endpoint, `mirrors.${name}.endpoint`) }
  }
  for (const [name, config] of reader.entries(root, 'configs')) {
    registries[name] = { ...registries[name], ...reader.config(config, `configs.${name}`) }
  }
  return registries
}

class Reader {
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  yaml(text: string): unknown {
    try {
      return parse(text) ?? {}
    } catch (error) {
      throw new PlainError(`${this.#file} is no YAML: ${(error as Error).message}`)
    }
  }

  /** An object without other fields than these: one without effect would be a trap. */
  known(value: unknown, path: string, names: readonly string[]): Fields {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw this.#wrong(path || 'the document', 'must be a map')
    const strange = Object.keys(value).find(name => !names.includes(name))
    if (strange)
      throw this.#wrong(`${path && `${path}.`}${strange}`, `is not known; known are ${names.join(', ')}`)
    return value as Fields
  }

  entries(root: Fields, name: string): [string, unknown][] {
    const value = root[name] ?? {}
    if (typeof value !== 'object' || Array.isArray(value)) throw this.#wrong(name, 'must be a map')
    return Object.entries(value)
  }

  urls(value: unknown, path: string): string[] {
    if (!Array.isArray(value)) throw this.#wrong(path, 'must be a list of URLs')
    for (const [index, url] of value.entries()) {
      if (typeof url !== 'string' || !/^https?:\/\/[^/]/.test(url))
        throw this.#wrong(`${path}[${index}]`, 'must begin with http:// or https://')
    }
    return value
  }

  config(value: unknown, path: string): RegistryConfig {
    const { auth = {}, tls = {} } = this.known(value, path, ['auth', 'tls'])
    const account = this.#texts(auth, `${path}.auth`, ['username', 'password', 'auth', 'identity_token'])
    const trust = this.known(tls, `${path}.tls`, ['ca_file', 'cert_file', 'key_file', 'insecure_skip_verify'])
    const { insecure_skip_verify: skipVerify = false, ...files } = trust
    if (typeof skipVerify !== 'boolean')
      throw this.#wrong(`${path}.tls.insecure_skip_verify`, 'must be true or false')
    const { ca_file, cert_file, key_file } = this.#texts(files, `${path}.tls`, Object.keys(files))
    const { identity_token, ...others } = account
    const known = Object.keys(account).length > 0
    return {
      ...(known && { auth: { ...others, ...(identity_token && { identityToken: identity_token }) } }),
      ...(skipVerify && { skipVerify }),
      ...(ca_file && { caFile: this.#beside(ca_file) }),
      ...(cert_file && { certFile: this.#beside(cert_file) }),
      ...(key_file && { keyFile: this.#beside(key_file) }),
    }
  }

  #texts(value: unknown, path: string, names: readonly string[]): Record<string, string> {
    const fields = this.known(value, path, names)
    for (const [name, text] of Object.entries(fields)) {
      if (typeof text !== 'string') throw this.#wrong(`${path}.${name}`, 'must be a text')
    }
    return fields as Record<string, string>
  }

  #beside(path: string): string {
    return resolve(dirname(this.#file), path)
  }

  #wrong(field: string, what: string): PlainError {
    return new PlainError(`${this.#file}: ${field} ${what}.`)
  }
}
