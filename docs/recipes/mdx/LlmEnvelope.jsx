// SPDX-License-Identifier: MIT
// An embed of Envelope for MDX and React. The children are what feeds, mail and readers without scripts see.
import React from 'react';

// The address of Envelope, ending in a slash.
const kHome = 'http://localhost:8123/';

export default function LlmEnvelope({ link, view = 'card', edit, theme, id, home = kHome, children }) {
  const words = [link, `view=${view}`];
  if (edit) words.push(`edit=${edit}`);
  if (theme) words.push(`theme=${theme}`);
  return (
    <>
      <llm-envelope src={`${home}e/#${words.join('&')}`} id={id}>
        {children}
        <p>
          <a href={`${home}#${link}`}>Open in Envelope</a>
        </p>
      </llm-envelope>
      {/* React moves it to the head and loads it once. */}
      <script async src={`${home}embed/1/llm-envelope.js`} />
    </>
  );
}

/** Words of the text that set the embed `to`. */
export function LlmEnvelopeLink({ to, link, home = kHome, children }) {
  return (
    <a href={`${home}#${link}`} data-llm-envelope={to}>
      {children}
    </a>
  );
}
