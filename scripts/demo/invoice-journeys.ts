import { type ExpectedCall, type Journey, journeys, type Step } from './journeys.js'

/** What the visitors of every shop do; each order is followed by its invoice, of the same visitor. */
export const invoiceJourneys: readonly Journey[] = journeys.map((journey) => ({
  ...journey,
  steps: journey.steps.map(withInvoices),
}))

function withInvoices(step: Step): Step {
  return { ...step, calls: step.calls.flatMap((call) => [call, ...invoiceOf(call)]) }
}

function invoiceOf(call: ExpectedCall): ExpectedCall[] {
  return call.name === 'Order Completed' ? [{ ...call, name: 'Invoice Sent' }] : []
}
