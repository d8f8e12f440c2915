import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inNewNamespaces } from '../syscall/namespaces.ts'
import { LinkRemover } from './link-remover.ts'
import { Netlink } from './netlink.ts'

/** Sockets into a network namespace that is theirs alone, with these links. */
function world(...names: string[]) {
  const { netlink, remover } = inNewNamespaces(['net'], () => ({
    netlink: new Netlink(),
    remover: new LinkRemover(),
  }))
  for (const name of names) netlink.addBridge(name)
  const close = () => {
    remover.close()
    netlink.close()
  }
  const present = () =>
    netlink
      .links()
      .map(({ name }) => name)
      .filter(name => name.startsWith('kn'))
      .toSorted()
  return { remover, present, [Symbol.dispose]: close }
}

test('links go, those that nobody named stay', async () => {
  using links = world('kn-a', 'kn-b', 'kn-c')
  await Promise.all([links.remover.remove('kn-a'), links.remover.remove('kn-c')])
  assert.deepEqual(links.present(), ['kn-b'])
})

test('what is not there is fine, and does not keep another from going', async () => {
  using links = world('kn-a')
  await Promise.all(['kn-0', 'kn-a', 'kn-z'].map(name => links.remover.remove(name)))
  assert.deepEqual(links.present(), [])
  await links.remover.remove('kn-a')
})

test('what is named while others go is gone when its promise says so', async () => {
  const names = Array.from({ length: 20 }, (_, index) => `kn-${index}`)
  using links = world(...names)
  const removals = names.map(async (name, index) => {
    for (let turn = 0; turn < index % 5; turn++) await new Promise(resolve => setImmediate(resolve))
    await links.remover.remove(name)
    assert.ok(!links.present().includes(name), name)
  })
  await Promise.all(removals)
  assert.deepEqual(links.present(), [])
})
