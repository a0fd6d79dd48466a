/** Typical texts of chats, for tests and for the table in docs/estimating-tokens.md. */
export const samples: Readonly<Record<string, string>> = {
  English:
    "Could you explain how the new pension rules affect somebody who earns about £45,000 a year and lives in Scotland? I've read the guidance twice, but the paragraph on salary sacrifice doesn't say whether National Insurance is calculated before or after the contribution. Please keep it short; a worked example would help more than a general description.",
  code: 'export async function readAll<T>(source: AsyncIterable<T>, limit = 1_000): Promise<T[]> {\n  const items: T[] = [];\n  for await (const item of source) {\n    if (items.length >= limit) throw new RangeError("Too many items");\n    items.push(item);\n  }\n  return items;\n}\n\nconst result = await readAll(stream.pipeThrough(new TextDecoderStream()), 64);\nconsole.log(result.map((part) => part.trim()).filter(Boolean).join(", "));\n',
  JSON: '{\n "id": "msg_01HZX4K9Q2",\n "role": "assistant",\n "createdAt": "2026-11-28T09:14:33.120Z",\n "usage": {\n  "inputTokens": 1204,\n  "outputTokens": 388,\n  "cached": null\n },\n "items": [\n  {\n   "sku": "AB-1029",\n   "price": 19.99,\n   "tags": [\n    "new",\n    "sale"\n   ]\n  },\n  {\n   "sku": "ZX-7731",\n   "price": 4.5,\n   "tags": []\n  }\n ],\n "ok": true\n}',
  Arabic:
    "هل يمكنك أن تشرح لي كيف تؤثر قواعد التقاعد الجديدة على شخص يكسب حوالي خمسة وأربعين ألف جنيه في السنة ويعيش في اسكتلندا؟ لقد قرأت الإرشادات مرتين، لكن الفقرة الخاصة بالتضحية بالراتب لا توضح ما إذا كان التأمين الوطني يُحسب قبل المساهمة أم بعدها.",
  Chinese:
    "请你解释一下新的养老金规定对一个年收入约四万五千英镑、居住在苏格兰的人有什么影响？我已经把指南读了两遍，但是关于薪资牺牲的那一段并没有说明国民保险是在缴款之前还是之后计算的。请尽量简短，一个计算实例会比一般性的描述更有帮助。",
  emoji: "😀🎉🔥 great job 👍🏽👩‍👩‍👧‍👦 see you 🏳️‍🌈🇬🇧 tonight 🍕🍻 ❤️‍🔥🤷‍♀️ 🙌🙌🙌",
  base64:
    "APDi1szEvrq4uLq+xMzW4vUFFytBWXOUstL0GENrlcH0JFaKxf03eLb2PYHHFF6q/U2f+E6rBWbEJIvvWsIxnRCA92vmXt1e3GHjbPd/DpotwlTtiCC/YP6jSu6ZRvWhVAnAeS/sq2wv77Z/Shfmt4VaMQrlwqGCZUoxGgXy4dLFurGqpaKhoqWqsbrK1+b3Ch82VG+Mq8z0GUBplMb1JlmTygNDgL8FSI3ZIm2/DmS3DGjBIX7dQ6YQd+VQwjGnGpQLiQmGCosTmCSyPc9j9IwmvVv7mDzihS/biTTmmlADvXk397R4PgbQnGo1B9uxiWM/Hf3fw6mRe2dVRTcrIRkTDw0NDxMZISs3SlpsgJauyOkHJ0ltmMDqFkl5q98aUozNC0uS1hxps/9S",
  German:
    "Könnten Sie bitte erklären, wie sich die neuen Rentenvorschriften auf jemanden auswirken, der ungefähr 45.000 Pfund im Jahr verdient und in Schottland lebt? Die Arbeitsunfähigkeitsbescheinigung liegt bei.",
  Russian:
    "Не могли бы вы объяснить, как новые пенсионные правила повлияют на человека, который зарабатывает около сорока пяти тысяч фунтов в год и живёт в Шотландии? Я дважды прочитал руководство, но в абзаце о вычетах из зарплаты не сказано, рассчитывается ли страховой взнос до или после.",
  Hindi:
    "क्या आप समझा सकते हैं कि नए पेंशन नियम उस व्यक्ति को कैसे प्रभावित करते हैं जो सालाना लगभग पैंतालीस हज़ार पाउंड कमाता है और स्कॉटलैंड में रहता है?",
  Japanese:
    "新しい年金制度が、年収約四万五千ポンドでスコットランドに住んでいる人にどのような影響を与えるのか説明していただけますか。ガイダンスを二度読みましたが、よくわかりませんでした。",
  Korean:
    "새로운 연금 규정이 연봉 약 사만 오천 파운드를 받고 스코틀랜드에 사는 사람에게 어떤 영향을 미치는지 설명해 주시겠습니까? 안내서를 두 번 읽었지만 잘 모르겠습니다.",
};
