// What containers leave to be read: last words and logs.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import type { NodeAccess } from '../api/node-access.ts'
import { inWorld, status } from './testing/in-world.fixture.ts'
import { container } from './testing/kubelet-world.fixture.ts'

test('the termination message of a container shows in its status', () =>
  inWorld(async world => {
    await world.createPod('words', { restartPolicy: 'Never' })
    await world.until('words', pod => pod.status.phase === 'Running')
    const file = world.cri
      .named('app')!
      .config.mounts!.find(({ containerPath }) => containerPath === '/dev/termination-log')!
    writeFileSync(file.hostPath, 'last words')
    world.cri.exit('app', 2)
    const pod = await world.until('words', one => one.status.phase === 'Failed')
    assert.equal(status(pod, 'app')?.state.terminated?.message, 'last words')
  }))

test('logs are read by name of the container, and say what is missing', () =>
  inWorld(async world => {
    world.cri.missingImages.add('example/none:1')
    const created = await world.createPod('talk', {
      containers: [container('app'), container('late', { image: 'example/none:1' })],
    })
    await world.until(
      'talk',
      pod =>
        !!status(pod, 'app')?.state.running && status(pod, 'late')?.state.waiting?.reason === 'ErrImagePull',
    )
    writeFileSync(world.cri.named('app')!.status.logPath, '2026-01-01T00:00:00Z stdout F hello\n')
    const reference = { namespace: 'default', name: 'talk', uid: created.metadata.uid }
    const read = async (name: string, access: NodeAccess) => {
      const options = { container: name, follow: false, previous: false, timestamps: false }
      const parts: Uint8Array[] = []
      for await (const part of await access.logs('node-1', reference, options, new AbortController().signal))
        parts.push(part)
      return Buffer.concat(parts).toString()
    }
    assert.equal(await read('app', world.kubelet.nodeAccess), 'hello\n')
    await assert.rejects(read('late', world.kubelet.nodeAccess), {
      message: 'container "late" in pod "talk" is waiting to start: image can\'t be pulled',
    })
  }))
