// A gRPC service written as text, one line per method: 'InfoRequest PluginInfo', or 'Empty stream:DeviceList' for one
// that answers again and again. Messages are those of the codec.
import type { ProtobufCodec } from '../protobuf/codec.ts'

/** As @grpc/grpc-js wants it. */
export interface GrpcMethod {
  path: string
  requestStream: false
  responseStream: boolean
  requestSerialize(value: object): Buffer
  requestDeserialize(bytes: Buffer): object
  responseSerialize(value: object): Buffer
  responseDeserialize(bytes: Buffer): object
}

/** By method. Services of one socket may be put together: { ...identity, ...node }. */
export type GrpcService = Readonly<Record<string, GrpcMethod>>

/** `name` is 'package.Service'. */
export function grpcService(
  name: string,
  methods: Readonly<Record<string, string>>,
  codec: ProtobufCodec,
): GrpcService {
  const entries = Object.entries(methods).map(([method, line]) => {
    const [request = '', answer = ''] = line.split(' ')
    const responseStream = answer.startsWith('stream:')
    const response = responseStream ? answer.slice('stream:'.length) : answer
    const definition: GrpcMethod = {
      path: `/${name}/${method}`,
      requestStream: false,
      responseStream,
      requestSerialize: value => toBuffer(codec.encode(request, value)),
      requestDeserialize: bytes => codec.decode(request, bytes),
      responseSerialize: value => toBuffer(codec.encode(response, value)),
      responseDeserialize: bytes => codec.decode(response, bytes),
    }
    return [method, definition] as const
  })
  return Object.fromEntries(entries)
}

const toBuffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
