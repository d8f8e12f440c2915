// The nslookup of our busybox image: a script before busybox's own.
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { write } from './root-files.ts'

/** Under this name busybox's own goes on; as long as the old one and at the same place of the sorted applets. */
const OWN_NAME = 'nsrecord'

/**
 * A name without dots is looked for in every domain of the search list. Up to busybox 1.28 nslookup succeeded when one
 * of them knew it; later ones fail as soon as one does not, so that in a cluster they never succeed, and the usual
 * `until nslookup myservice` waits for ever. Here it is as it was: found in one domain is found.
 */
const SCRIPT = `#!/bin/sh
output=$(/bin/busybox ${OWN_NAME} "$@" 2>&1)
code=$?
case "$code,$output" in
  [1-9]*"Name:"*|[1-9]*"canonical name"*)
    printf '%s\\n' "$output" | grep -v "can't find" | sed '/^$/N;/^\\n$/D'
    exit 0
    ;;
esac
printf '%s\\n' "$output"
exit $code
`

/** Debian's shell in busybox prefers applets to files, so the applet has to give up its name to the script. */
export function replaceNslookup(root: string): void {
  const file = path.join(root, 'bin/busybox')
  const program = readFileSync(file)
  const old = Buffer.from('\0nslookup\0')
  const at = program.indexOf(old)
  if (at < 0 || program.indexOf(old, at + 1) >= 0) throw new Error('busybox has its applets in another form')
  program.write(OWN_NAME, at + 1, 'latin1')
  writeFileSync(file, program)
  write(root, 'bin/nslookup', SCRIPT, 0o755)
}
