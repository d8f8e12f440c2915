import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRegistries } from './registries-file.ts'
import { endpointsOf } from './registry-config.ts'

const FILE = '/etc/kubernode/registries.yaml'

test('mirrors are asked before the registry, each with its own trust and credentials', () => {
  const registries = parseRegistries(
    `
mirrors:
  docker.io:
    endpoint: ["https://mirror.example:5000/", "http://slow.example"]
  "*":
    endpoint: ["https://all.example"]
configs:
  docker.io:
    auth: {username: ada, password: secret}
  mirror.example:5000:
    auth: {identity_token: token}
    tls: {ca_file: ca.pem, cert_file: /c.pem, key_file: ../key.pem, insecure_skip_verify: true}
`,
    FILE,
  )
  const trust = {
    skipVerify: true,
    caFile: '/etc/kubernode/ca.pem',
    certFile: '/c.pem',
    keyFile: '/etc/key.pem',
  }
  assert.deepEqual(endpointsOf('docker.io', registries), [
    { base: 'https://mirror.example:5000', isMirror: true, ...trust, auth: { identityToken: 'token' } },
    { base: 'http://slow.example', isMirror: true, skipVerify: false },
    {
      base: 'https://registry-1.docker.io',
      isMirror: false,
      skipVerify: false,
      auth: { username: 'ada', password: 'secret' },
    },
  ])
  assert.deepEqual(
    endpointsOf('quay.io', registries).map(({ base }) => base),
    ['https://all.example', 'https://quay.io'],
  )
})

test('an empty file means no mirrors', () => {
  assert.deepEqual(parseRegistries('', FILE), {})
})

const wrong: Record<string, [string, RegExp]> = {
  'no YAML': ['mirrors: [', /registries\.yaml is no YAML/],
  'an unknown field': ['mirror: {}', /: mirror is not known; known are mirrors, configs\.$/],
  'an unknown field deep inside': [
    'configs: {a: {tls: {ca: x}}}',
    /: configs\.a\.tls\.ca is not known; known are ca_file, /,
  ],
  'a mirror without a scheme': [
    'mirrors: {a: {endpoint: [b:5000]}}',
    /: mirrors\.a\.endpoint\[0\] must begin with http:\/\/ or https:\/\/\.$/,
  ],
  'a list for a map': ['mirrors: []', /: mirrors must be a map\.$/],
  'a number for a password': [
    'configs: {a: {auth: {password: 1}}}',
    /: configs\.a\.auth\.password must be a text\.$/,
  ],
  'a text for a switch': [
    'configs: {a: {tls: {insecure_skip_verify: "yes"}}}',
    /insecure_skip_verify must be true or false\.$/,
  ],
}
for (const [what, [text, message]] of Object.entries(wrong)) {
  test(`${what} is refused with the field's name`, () => {
    assert.throws(() => parseRegistries(text, FILE), { name: 'PlainError', message })
  })
}
