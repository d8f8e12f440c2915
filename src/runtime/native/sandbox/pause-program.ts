// The first process of a shared process namespace: it ignores its children's ends, so that the kernel clears them
// away (sigaction(2), SA_NOCLDWAIT), and sleeps. A few machine instructions in a static ELF file: nothing of the host
// is needed in its root, and nothing of the host can be reached through /proc/1/root.
import { PlainError } from '../../../base/plain-error.ts'

const BASE = 0x400000n
const HEADERS = 64 + 56
/** struct sigaction of the kernel: SIG_IGN, no flags, no restorer, empty mask. */
const IGNORE = [1, ...new Array<number>(31).fill(0)]

interface Machine {
  /** e_machine of ELF. */
  id: number
  /** Position independent; followed by IGNORE. */
  code: number[]
}

/** Little-endian words of 32 bits. */
const words = (...list: number[]) =>
  list.flatMap(word => [0, 8, 16, 24].map(shift => (word >>> shift) & 0xff))

const MACHINES: Partial<Record<NodeJS.Architecture, Machine>> = {
  x64: {
    id: 62,
    code: [
      ...[0xb8, 13, 0, 0, 0], // mov eax, rt_sigaction
      ...[0xbf, 17, 0, 0, 0], // mov edi, SIGCHLD
      ...[0x48, 0x8d, 0x35, 19, 0, 0, 0], // lea rsi, [rip + 19]: what follows the code
      ...[0x31, 0xd2], // xor edx, edx
      ...[0x41, 0xba, 8, 0, 0, 0], // mov r10d, 8: the mask's size
      ...[0x0f, 0x05], // syscall
      ...[0xb8, 34, 0, 0, 0], // mov eax, pause
      ...[0x0f, 0x05], // syscall
      ...[0xeb, 0xf7], // jmp back to the last mov
    ],
  },
  arm64: {
    id: 183,
    code: words(
      0xd28010c8, // mov x8, rt_sigaction
      0xd2800220, // mov x0, SIGCHLD
      0x10000181, // adr x1, 48 bytes on: what follows the code
      0xd2800002, // mov x2, 0
      0xd2800103, // mov x3, 8: the mask's size
      0xd4000001, // svc 0
      0xd2800000, // mov x0, 0
      0xd2800001, // mov x1, 0
      0xd2800002, // mov x2, 0
      0xd2800003, // mov x3, 0
      0xd2800928, // mov x8, ppoll
      0xd4000001, // svc 0
      0x17fffffa, // b six instructions back
      0xd503201f, // nop
    ),
  },
}

/** The program's file. Throws PlainError on a processor that it is not written for. */
export function pauseProgram(architecture = process.arch): Buffer {
  const machine = MACHINES[architecture]
  if (!machine)
    throw new PlainError(`Pods cannot share their processes on this processor (${architecture}) yet.`)
  const content = Buffer.from([...machine.code, ...IGNORE])
  const size = BigInt(HEADERS + content.length)
  const header = Buffer.alloc(HEADERS)
  header.write('\x7fELF', 'latin1')
  header.set([2, 1, 1], 4)
  header.writeUInt16LE(2, 16)
  header.writeUInt16LE(machine.id, 18)
  header.writeUInt32LE(1, 20)
  header.writeBigUInt64LE(BASE + BigInt(HEADERS), 24)
  header.writeBigUInt64LE(64n, 32)
  header.writeUInt16LE(64, 52)
  header.writeUInt16LE(56, 54)
  header.writeUInt16LE(1, 56)
  // One segment to load, readable and executable.
  header.writeUInt32LE(1, 64)
  header.writeUInt32LE(5, 68)
  header.writeBigUInt64LE(BASE, 80)
  header.writeBigUInt64LE(BASE, 88)
  header.writeBigUInt64LE(size, 96)
  header.writeBigUInt64LE(size, 104)
  header.writeBigUInt64LE(0x10000n, 112)
  return Buffer.concat([header, content])
}
