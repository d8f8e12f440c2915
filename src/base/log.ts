// What a part needs to say something. main.ts decides where it goes; tests usually pass `silentLog`.

/** Structured log: a short message and fields. Follows pino's argument order so that a pino logger fits. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

const nothing = () => {}

export const silentLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing }
