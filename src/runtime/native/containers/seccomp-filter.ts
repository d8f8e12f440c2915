// Compiles a seccomp profile to the kernel's form once, where crun would do it anew for every container (10 ms each).
// Uses libseccomp, which crun itself needs. crun takes the result through an annotation (crun(1)).
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import koffi from 'koffi'
import type { SeccompProfile } from './seccomp.ts'

/** crun takes a filter in this annotation, base64, in place of the spec's seccomp section. */
export const FILTER_ANNOTATION = 'run.oci.seccomp_bpf_data'

const ACTIONS: Record<string, number> = { SCMP_ACT_ALLOW: 0x7fff0000, SCMP_ACT_ERRNO: 0x00050000 }
const OPERATORS: Record<string, number> = { SCMP_CMP_MASKED_EQ: 7 }

const compiled = new Map<string, string | undefined>()

/** The filter in base64, or undefined when it cannot be made here: crun then compiles the profile itself. */
export function compiledFilter(profile: SeccompProfile): string | undefined {
  const key = JSON.stringify(profile)
  if (!compiled.has(key)) compiled.set(key, compile(profile)?.toString('base64'))
  return compiled.get(key)
}

function compile(profile: SeccompProfile): Buffer | undefined {
  const library = load()
  if (!library) return undefined
  const context = library.init(ACTIONS[profile.defaultAction]!)
  if (!context) return undefined
  try {
    for (const architecture of profile.architectures) {
      const token = library.resolveArchitecture(architecture.replace('SCMP_ARCH_', '').toLowerCase())
      // Adding the native one, which is there from the start, is refused: that is fine.
      if (token) library.addArchitecture(context, token)
    }
    for (const rule of profile.syscalls) addRule(library, context, rule)
    return exported(library, context)
  } finally {
    library.release(context)
  }
}

function addRule(library: Library, context: unknown, rule: SeccompProfile['syscalls'][number]): void {
  const action = ACTIONS[rule.action]! | rule.errnoRet
  const args = (rule.args ?? []).map(({ index, op, value, valueTwo }) => ({
    arg: index,
    op: OPERATORS[op]!,
    a: value,
    b: valueTwo,
  }))
  for (const name of rule.names) {
    const number = library.resolveSyscall(name)
    // Calls that this libseccomp does not know cannot be filtered, neither by crun.
    if (number !== UNKNOWN_SYSCALL) library.addRule(context, action, number, args.length, args)
  }
}

function exported(library: Library, context: unknown): Buffer | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'kubernode-seccomp-'))
  const file = join(folder, 'filter')
  const fd = openSync(file, 'w', 0o600)
  try {
    return library.exportBpf(context, fd) === 0 ? readFileSync(file) : undefined
  } finally {
    closeSync(fd)
    rmSync(folder, { recursive: true })
  }
}

const UNKNOWN_SYSCALL = -1

type Library = NonNullable<ReturnType<typeof open>>

let library: Library | undefined | null = null

function load(): Library | undefined {
  if (library === null) library = open()
  return library
}

function open() {
  try {
    const seccomp = koffi.load('libseccomp.so.2')
    koffi.struct('scmp_arg_cmp', { arg: 'unsigned int', op: 'int', a: 'uint64_t', b: 'uint64_t' })
    return {
      init: seccomp.func('void *seccomp_init(uint32_t action)'),
      release: seccomp.func('void seccomp_release(void *context)'),
      resolveArchitecture: seccomp.func('uint32_t seccomp_arch_resolve_name(const char *name)'),
      addArchitecture: seccomp.func('int seccomp_arch_add(void *context, uint32_t token)'),
      resolveSyscall: seccomp.func('int seccomp_syscall_resolve_name(const char *name)'),
      addRule: seccomp.func(
        'int seccomp_rule_add_array(void *context, uint32_t action, int call, unsigned int count, const scmp_arg_cmp *args)',
      ),
      exportBpf: seccomp.func('int seccomp_export_bpf(void *context, int fd)'),
    }
  } catch {
    return undefined
  }
}
