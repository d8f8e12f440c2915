// The program nft, for what makes a table: its chains, rules and empty maps.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { PlainError } from '../base/plain-error.ts'

/** Removes tables; those that are not there are fine. */
export const removeTables = (...tables: readonly string[]): Promise<void> =>
  runNft(
    tables
      .map(
        table => `add table ip ${table}
delete table ip ${table}
`,
      )
      .join(''),
  )

/** One transaction. Throws PlainError where there is no nft. */
export async function runNft(input: string): Promise<void> {
  const child = spawn('nft', ['-f', '-'], { stdio: ['pipe', 'ignore', 'pipe'] })
  const failed = once(child, 'error').then(([error]) => {
    throw new PlainError(`Services need the program nft (Debian: apt-get install nftables): ${error.message}`)
  })
  const ended = Promise.all([once(child, 'close'), text(child.stderr)])
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [[code], words] = await Promise.race([ended, failed])
  if (code !== 0) throw new Error(`nft refused the service rules: ${words.trim()}`)
}
