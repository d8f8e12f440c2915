import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { execFailure, OciFailure } from './oci-failure.ts'

const CASES: Record<string, { words: string; program: string; cause: string }> = {
  'crun does not find a program in $PATH': {
    words: 'executable file `nosuch` not found in $PATH: No such file or directory',
    program: 'nosuch',
    cause: 'unable to start container process: exec: "nosuch": executable file not found in $PATH',
  },
  'crun does not find a program by its path': {
    words: 'executable file `/bin/nosuch` not found: No such file or directory',
    program: '/bin/nosuch',
    cause:
      'unable to start container process: exec: "/bin/nosuch": stat /bin/nosuch: no such file or directory',
  },
  'crun may not run the program, and does not name it': {
    words: 'open executable: Permission denied\n',
    program: '/etc/passwd',
    cause: 'unable to start container process: exec: "/etc/passwd": permission denied',
  },
  'what runc says stays as it is': {
    words: 'runc create failed: unable to start container process: exec: "x": permission denied',
    program: 'x',
    cause: 'runc create failed: unable to start container process: exec: "x": permission denied',
  },
  'another cause is passed on': {
    words: 'mount `x` to `y`: Invalid argument',
    program: 'sh',
    cause: 'unable to start container process: mount `x` to `y`: Invalid argument',
  },
}

describe('oci failure', () => {
  for (const [title, { words, program, cause }] of Object.entries(CASES)) {
    it(title, () => {
      assert.equal(
        new OciFailure(words, program).message,
        `failed to create container task: OCI runtime create failed: ${cause}: unknown`,
      )
      assert.equal(execFailure(words, program), `OCI runtime exec failed: exec failed: ${cause}: unknown`)
    })
  }
})
