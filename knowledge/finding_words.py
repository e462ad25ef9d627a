"""The words of the writer's desk: by code the severity, then what is wrong and what to do, in Chinese and in English."""

from typing import Literal

Said = tuple[str, str]  # what is wrong, what to do

FINDINGS: dict[str, tuple[Literal["error", "warning", "note"], Said, Said]] = {
    # files
    "unreadable": ("error", ("{problem}", "改好这一处再检查一遍"), ("{problem}", "mend this and check again")),
    # the four parts
    "undivided": (
        "note", ("整段文字，没有分成共情、信息、价值、行动四部分", "拆成四部分，系统才能按客户情绪取舍"),
        ("one undivided text instead of empathy, information, value and action", "divide it, so that the parts can follow the customer's mood"),
    ),
    "no_information": (
        "warning", ("没有「信息」：客户看不到答案", "写上事实：到哪一步、多久、多少钱"),
        ("no information: the answer is not in it", "write the facts: where it stands, how long, how much"),
    ),
    "no_action": (
        "warning", ("没有「行动」：没说接下来谁做什么", "写上现在做什么、几点前给结果"),
        ("no action: nobody says what happens next", "write what you do now and by when"),
    ),
    "no_empathy": (
        "warning", ("给着急、生气的客户用，却没有「共情」", "先用一句话认下客户的感受，要具体"),
        ("written for an upset customer, but without empathy", "open with one sentence that hears this very trouble"),
    ),
    "no_value": (
        "note", ("没有「价值」：没说这对客户有什么好处", "补一句对客户意味着什么，或多一个选择"),
        ("no value: what it does for the customer is not said", "add what they gain, or a second option"),
    ),
    # words
    "style": ("warning", ("「{words}」：{message}", "换成更暖、更准的说法"), ("«{words}»: {message}", "say it in warmer or more exact words")),
    "law": ("error", ("「{words}」：{message}", "发给客户前一定要改"), ("«{words}»: {message}", "change it before any customer reads it")),
    "holding_promise": (
        "warning", ("「{words}」：接手的人还没看，先别许诺结果、金额或时间", "只说已经记下、正在请谁来"),
        ("«{words}»: nobody has looked at it yet, so promise no result, money or hour", "say that it is noted and who is coming"),
    ),
    # conditions and templates
    "never_true": (
        "error", ("条件永远不成立：{when}，这条话术不会出现", "检查是不是写反了，或两个条件互相矛盾"),
        ("the condition can never be true: {when}; this reply is never offered", "look for a contradiction in it"),
    ),
    "undecided": (
        "note", ("条件太复杂，没能判定它会不会成立：{when}", "找一笔真实订单在工作台试一下"),
        ("could not decide whether the condition can ever be true: {when}", "try it on the console with a real order"),
    ),
    "wrong_type": (
        "error", ("「{used}」用错了类型：{name}是{kind}", "数字不加引号；文字加引号；金额用 money，时间用 date、time、when"),
        ("«{used}» misuses a fact: {name} is {kind}", "no quotes around numbers, quotes around words; money for amounts, date, time and when for times"),
    ),
    "never_equal": ("error", ("「{used}」：{name}不会等于这个值", "改成：{allowed}"), ("«{used}»: {name} never has this value", "one of {allowed}")),
    "same_condition": (
        "note", ("条件和 {other} 写法不同、意思完全相同：{when}", "两条统一成一种写法，免得以后只改了一条"),
        ("its condition means the same as that of {other}, in other words: {when}", "write both alike, so that they are changed together"),
    ),
    "duplicate": (
        "warning", ("和 {other} 几乎一样（{share} 的字相同），会同时适用", "留一条，触发语并到一起"),
        ("nearly the same as {other} ({share} of its words), and both apply at once", "keep one and join their triggers"),
    ),
    # triggers
    "no_triggers": (
        "warning", ("没有触发语，客户怎么问都很难找到它", "写三到五句客户真会说的话"),
        ("no triggers: customers' words will hardly find it", "write three to five things customers really say"),
    ),
    "trigger_conflict": (
        "warning",
        ("触发语「{trigger}」和 {other}（{scenario}）的「{other_trigger}」几乎一样，同一笔订单都会出现", "看这句话属于哪个场景，另一边删掉或改具体"),
        ("«{trigger}» is nearly «{other_trigger}» of {other} ({scenario}), and one order can get both", "decide which it is; sharpen the other"),
    ),
    # articles
    "expired_citation": (
        "error", ("引用的条款 {article} 已于 {day} 过期，而话术还在用", "换成现行条款，或给话术也写上停用日期"),
        ("cites {article}, which expired on {day}, while the reply is still in use", "cite the one in force, or end the reply too"),
    ),
    "part_expired_citation": (
        "warning", ("引用的条款里 {article} 已于 {day} 过期", "换成现行条款，或从引用里删掉"),
        ("one of its citations, {article}, expired on {day}", "cite the one in force, or leave it out"),
    ),
    "expiring_citation": (
        "warning", ("引用的条款 {article} 将在 {day} 到期，而话术没有停用日期", "提前准备到期后的说法"),
        ("cites {article}, which ends on {day}; the reply has no end", "prepare what holds afterwards"),
    ),
    "early_citation": (
        "warning", ("引用的条款 {article} 要到 {day} 才生效，话术现在就在用", "给话术写上同样的生效日期"),
        ("cites {article}, in force only from {day}; the reply is offered now", "give the reply the same first day"),
    ),
    "internal_citation": (
        "note", ("只引用了内部条款 {article}：客服能看，不能发给客户", "有对外条款的话，一并引用"),
        ("cites only {article}, which is internal: agents may read it, customers may not", "cite a customer article too, where there is one"),
    ),
    "expired_article": ("note", ("条款已于 {day} 过期", "确认不再需要就归档，需要就写新版"), ("expired on {day}", "archive it, or write its next version")),
    "expiring_article": ("warning", ("条款还有 {days} 天到期（{day}）", "写好接替它的新版"), ("ends in {days} days ({day})", "write its next version")),
    "uncited_article": (
        "note", ("没有一条话术引用它", "找到讲这件事的话术加上引用，或给它写一条话术"),
        ("no reply cites it", "add it to the replies that speak of it, or write one"),
    ),
    # money
    "above_lead": (
        "error", ("承诺 {amount}，超过主管上限 {limit}，没有人有权发", "改小金额，或改成上报"),
        ("promises {amount}, above the lead's limit of {limit}: nobody may send it", "lower it, or escalate instead"),
    ),
    "above_agent": (
        "error", ("承诺 {amount}，超过客服上限 {limit}，却没有标成主管专用", "把权限改成 lead，或改小金额"),
        ("promises {amount}, above the agent's limit of {limit}, but is not marked for leads", "set authority to lead, or lower it"),
    ),
    # what is wanting
    "no_upset_variant": (
        "note", ("「{scenario}」常有人着急生气，这个条件下只有平静的说法", "补一条给着急客户的说法：先共情，再给时间"),
        ("customers of «{scenario}» are often upset, but this condition has only a calm wording", "add one for the upset: empathy first, then a time"),
    ),
    "empty_cell": (
        "warning", ("「{scenario}」在「{state}」的订单上没有一条话术可用", "补写这一格，或确认客户不会这样问"),
        ("no reply fits «{scenario}» when the order is «{state}»", "write one, or make sure nobody asks this"),
    ),
    "no_category": (
        "note", ("「{scenario}」没有一条话术适用于这些类目：{categories}", "补写，或写一条不分商品的"),
        ("no reply of «{scenario}» fits: {categories}", "write them, or one for all products"),
    ),
    "no_scenario": (
        "warning", ("「{scenario}」一条话术也没有", "写第一条，或确认本店不会遇到"),
        ("no reply at all for «{scenario}»", "write the first, or make sure the shop never meets it"),
    ),
}  # fmt: skip
