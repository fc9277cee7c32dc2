// `assets.js` is made from the files beside it by scripts/inspector-page.ts, and is not committed.

/** The page's document, with a mark where its styles and its script go. */
export declare const html: string
export declare const styles: string
/** The client, compiled into one script. */
export declare const script: string
