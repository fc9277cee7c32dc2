declare module 'parse-prometheus-text-format' {
  /** A metric as the parser gives it. */
  interface ParsedMetric {
    readonly name: string
    readonly help: string
    readonly type: string
    readonly metrics: readonly {
      readonly value: string
      readonly labels?: Readonly<Record<string, string>>
    }[]
  }
  export default function parsePrometheusTextFormat(text: string): ParsedMetric[]
}
