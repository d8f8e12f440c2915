import assert from 'node:assert/strict'
import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { makePipe, readPipe } from './file-descriptors.ts'
import { reapProgram, spawnProgram } from './spawn-program.ts'

const env = { PATH: process.env.PATH ?? '' }

async function saidBy(script: string, extra: readonly number[] = [], more = {}): Promise<string> {
  const { readEnd, writeEnd } = makePipe()
  const nothing = openSync('/dev/null', 'r+')
  const descriptors = [nothing, writeEnd, nothing, ...extra]
  const pid = await spawnProgram({ file: 'sh', args: ['-c', script], env: { ...env, ...more }, descriptors })
  for (const fd of [writeEnd, nothing]) closeSync(fd)
  const said = await text(readPipe(readEnd))
  reapProgram(pid)
  return said.trim()
}

test('a program has its arguments, its variables and its descriptors', async () => {
  const { readEnd, writeEnd } = makePipe()
  writeSync(writeEnd, 'handed over\n')
  closeSync(writeEnd)
  assert.equal(
    await saidBy('echo "$GREETING"; cat <&3', [readEnd], { GREETING: 'hello' }),
    'hello\nhanded over',
  )
  closeSync(readEnd)
})

test('descriptors may be given in any order', async () => {
  const [first, second] = [makePipe(), makePipe()]
  for (const [pipe, words] of [
    [first, 'first\n'],
    [second, 'second\n'],
  ] as const) {
    writeSync(pipe.writeEnd, words)
    closeSync(pipe.writeEnd)
  }
  const lowest = Math.min(first.readEnd, second.readEnd)
  const highest = Math.max(first.readEnd, second.readEnd)
  const said = await saidBy('cat <&3; cat <&4', [highest, lowest])
  assert.equal(said, highest === second.readEnd ? 'second\nfirst' : 'first\nsecond')
  for (const { readEnd } of [first, second]) closeSync(readEnd)
})

test('it gets no descriptor of ours but those, and ignores no signal', async () => {
  const file = openSync(import.meta.filename, 'r')
  const open = (await saidBy('ls /proc/$$/fd')).split('\n').map(Number)
  assert.deepEqual(
    [0, 1, 2, file].map(fd => open.includes(fd)),
    [true, true, true, false],
  )
  closeSync(file)
  const status = await saidBy('exec grep -E "^Sig(Blk|Ign)" /proc/self/status')
  assert.deepEqual(
    status.split('\n').map(line => BigInt(`0x${line.split('\t')[1]}`)),
    [0n, 0n],
  )
})

test('a program that is not there is told', async () => {
  await assert.rejects(spawnProgram({ file: 'no-such-program', args: [], env, descriptors: [] }), {
    code: 'ENOENT',
  })
})

test('one that has ended is taken away, at the latest with the next', async () => {
  const nothing = openSync('/dev/null', 'r+')
  const descriptors = [nothing, nothing, nothing]
  const started = [0, 1].map(() => spawnProgram({ file: 'true', args: [], env, descriptors }))
  const [first, second] = await Promise.all(started)
  closeSync(nothing)
  const isZombie = (pid: number) =>
    existsSync(`/proc/${pid}/stat`) && / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  while (!isZombie(first!) || !isZombie(second!)) await new Promise(resolve => setTimeout(resolve, 1))
  reapProgram(first!)
  reapProgram(second!)
  assert.deepEqual([isZombie(first!), isZombie(second!)], [false, false])
})
