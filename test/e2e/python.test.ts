// The Python client, as Debian packages it: what operators and scripts written in Python do.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { TestCluster } from './test-cluster.ts'

const program = join(import.meta.dirname, 'python', 'client.py')
const tests = [...readFileSync(program, 'utf8').matchAll(/^def (\w+)\(\):/gm)]
  .map(match => match[1]!)
  .filter(name => name !== 'web_pod')
let cluster: TestCluster

before(async () => {
  cluster = await TestCluster.up()
})

after(async () => {
  await cluster?.[Symbol.asyncDispose]()
})

function python(name: string): Promise<{ code: number; said: string }> {
  const env = { ...process.env, KUBECONFIG: cluster.kubeconfig }
  return new Promise(resolve => {
    execFile('/usr/bin/python3', [program, name], { env }, (error, stdout, stderr) =>
      resolve({ code: error ? 1 : 0, said: `${stdout}${stderr}` }),
    )
  })
}

test('there are tests', () => assert.equal(tests.length, 8))

for (const name of tests) {
  test(name.replaceAll('_', ' '), async () => {
    const { code, said } = await python(name)
    assert.equal(code, 0, said)
  })
}
