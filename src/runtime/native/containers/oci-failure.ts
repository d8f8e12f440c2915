// What the OCI runtime says when it cannot bring a process up, told in the words that people and tests look for: runc's.
// crun has words of its own for the same causes, and does not always name the program.

/** The OCI runtime refused to make the container. Told when the container is to start, as containerd does. */
export class OciFailure extends Error {
  constructor(words: string, program: string) {
    super(`failed to create container task: OCI runtime create failed: ${causeOf(words, program)}: unknown`)
    this.name = 'OciFailure'
  }
}

/** Why a command could not be started in a container that runs. */
export function execFailure(words: string, program: string): string {
  return `OCI runtime exec failed: exec failed: ${causeOf(words, program)}: unknown`
}

function causeOf(words: string, program: string): string {
  const text = words.trim()
  if (/unable to start container process/.test(text)) return text
  return `unable to start container process: ${reasonOf(text, program)}`
}

function reasonOf(text: string, program: string): string {
  const [, missing] = /^executable file `(.*)` not found/.exec(text) ?? []
  if (missing !== undefined) return `exec: ${JSON.stringify(missing)}: ${notFound(missing)}`
  if (text === 'open executable: Permission denied')
    return `exec: ${JSON.stringify(program)}: permission denied`
  return text
}

const notFound = (program: string) =>
  program.includes('/') ? `stat ${program}: no such file or directory` : 'executable file not found in $PATH'
