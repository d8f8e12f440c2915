import assert from 'node:assert/strict'
import { test } from 'node:test'
import { identityOf, sameValue } from '../base/netlink/nft-elements.ts'
import { compileService } from './compile-service.ts'
import type { Element } from './elements.ts'
import { type Changes, netChanges, RuleTable } from './rule-table.ts'
import { endpoint, numbers, randomService, service, shown, slice } from './services.fixture.ts'

/** As strict as the kernel: nothing is added twice, nothing removed that is not there. */
class Kernel {
  readonly held = new Map<string, Element>()

  apply({ remove, add }: Changes): void {
    for (const element of remove) {
      assert.ok(this.held.delete(identityOf(element)), `not there: ${shown([element])}`)
    }
    for (const element of add) {
      assert.ok(!this.held.has(identityOf(element)), `there already: ${shown([element])}`)
      this.held.set(identityOf(element), element)
    }
  }
}

for (const seed of [1, 2, 3, 4, 5]) {
  test(`changes one after the other come to the same as everything at once (seed ${seed})`, () => {
    const random = numbers(seed)
    const table = new RuleTable()
    const kernel = new Kernel()
    const wanted = new Map<string, Element[]>()
    for (let round = 0; round < 300; round++) {
      const steps = Array.from({ length: 1 + random(4) }, () => {
        const name = `s${random(6)}`
        const elements = randomService(random, name)
        wanted.set(name, elements)
        return table.set(name, elements)
      })
      kernel.apply(netChanges(steps))
      assert.deepEqual(shown([...kernel.held.values()]), shown(table.elements()))
    }
    // What is there is what the Services want; where two want one key, what one of them wants.
    const all = [...wanted.values()].flat()
    assert.deepEqual(new Set(kernel.held.keys()), new Set(all.map(identityOf)))
    for (const [identity, { value }] of kernel.held)
      assert.ok(all.some(element => identityOf(element) === identity && sameValue(element.value, value)))
  })
}

test('a change that is taken back changes nothing', () => {
  const table = new RuleTable()
  const elements = compileService(service(), [slice([endpoint('10.0.0.1')])], { nodeName: 'here' })
  const there = table.set('ns/web', elements)
  const gone = table.set('ns/web', [])
  assert.deepEqual(netChanges([there, gone]), { remove: [], add: [] })
  assert.deepEqual(table.owners(), [])
})

test('an address that two want goes over to the other when the first lets go', () => {
  const table = new RuleTable()
  const web = compileService(service({ externalIPs: ['203.0.113.5'] }), [slice([endpoint('10.0.0.1')])], {
    nodeName: 'here',
  })
  const other = compileService(
    service({ clusterIP: '10.96.0.21', externalIPs: ['203.0.113.5'] }, 'other'),
    [slice([endpoint('10.0.0.2')])],
    { nodeName: 'here' },
  )
  const kernel = new Kernel()
  kernel.apply(table.set('web', web))
  kernel.apply(table.set('other', other))
  const leads = () => shown([...kernel.held.values()]).find(text => text.startsWith('endpoints 203.0.113.5'))
  assert.equal(leads(), 'endpoints 203.0.113.5:80/tcp 0 -> 10.0.0.1:8080')
  kernel.apply(table.set('web', []))
  assert.equal(leads(), 'endpoints 203.0.113.5:80/tcp 0 -> 10.0.0.2:8080')
})
