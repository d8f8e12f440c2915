import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownProcsFile } from './warm-attach.ts'

const tables: Record<string, [string, string | undefined]> = {
  'a v1 hierarchy by its controller': ['9:pids:/a\n0::/\n', '/sys/fs/cgroup/pids/a/cgroup.procs'],
  'the named hierarchy': ['9:name=systemd:/\n', '/sys/fs/cgroup/systemd/cgroup.procs'],
  'the unified hierarchy': ['0::/user.slice\n', '/sys/fs/cgroup/user.slice/cgroup.procs'],
  'no cgroups at all': ['', undefined],
}

for (const [name, [table, expected]] of Object.entries(tables)) {
  test(name, () => assert.equal(ownProcsFile(table), expected))
}
