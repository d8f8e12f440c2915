import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { claimRange, releaseRange } from './claimed-ranges.ts'
import { chooseRanges } from './cluster-facts.ts'
import { claim, release } from './running-cluster.ts'

const folder = mkdtempSync(join(tmpdir(), 'kubernode-ranges-'))
after(() => rmSync(folder, { recursive: true, force: true }))

function cluster(name: string) {
  const file = join(folder, name, 'running.json')
  claim(file, { name, dataDir: folder, graceMs: 0 })
  return {
    file,
    ranges: join(folder, 'ranges'),
    choose: () => chooseRanges([], range => claimRange(range, file, join(folder, 'ranges'))).podCidr,
    end: () => release(file),
  }
}

test('clusters that start at once take different ranges; what one gives back or dies with is free again', () => {
  const [one, two, three] = ['one', 'two', 'three'].map(cluster)
  assert.equal(one!.choose(), '10.244.0.0/24')
  assert.equal(two!.choose(), '10.243.0.0/24')
  assert.equal(one!.choose(), '10.244.0.0/24')
  // Somebody else's is not given back.
  releaseRange('10.244.0.0/24', two!.file, two!.ranges)
  assert.equal(three!.choose(), '10.242.0.0/24')
  releaseRange('10.244.0.0/24', one!.file, one!.ranges)
  assert.ok(!existsSync(join(one!.ranges, '10.244.0.0-24')))
  assert.equal(three!.choose(), '10.244.0.0/24')
  two!.end()
  assert.equal(one!.choose(), '10.243.0.0/24')
})
