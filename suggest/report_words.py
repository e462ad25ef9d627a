"""The words of the evaluation's page, Chinese and English. A name that is not here is shown as it is."""

from suggest.baselines import BM25, BM25_CONDITIONS, DENSE_CONDITIONS, WITHOUT_CONDITIONS

WORDS: dict[str, tuple[str, str]] = {
    # metrics
    "success@1": ("首条就是专家会发的", "first draft is what an expert would send"),
    "acceptable@1": ("首条可用", "first draft acceptable"),
    "success@3": ("三条里有专家会发的", "expert's reply among three"),
    "acceptable@3": ("三条里有可用的", "an acceptable one among three"),
    "nDCG@3": ("排序质量 nDCG@3", "order of the three, nDCG@3"),
    "passage_recall@3": ("依据条款找全", "policy passages found"),
    "both_questions@3": ("两个问题都答到", "both questions answered"),
    "must_include": ("首条说到了必须说的", "first draft says what it must"),
    "must_not_include_kept": ("首条没说不该说的", "first draft says nothing it must not"),
    "hole@1": ("首条未经评判（条/会话）", "first drafts unjudged, a chat"),
    "hole@3": ("前三条未经评判（条/会话）", "drafts unjudged among three, a chat"),
    "unanswerable_abstained": ("无话可答时不出话术", "silent when nothing fits"),
    "auto_reply_precision": ("免看直发的准确率", "sent unread and right"),
    "auto_reply_coverage": ("免看直发占比", "sent unread"),
    "answerable_abstained": ("有话可答却没出", "silent though an answer exists"),
    # systems
    "huashu": ("话术", "Huashu"),
    BM25: ("仅关键词（BM25）", BM25),
    BM25_CONDITIONS: ("关键词＋订单条件", BM25_CONDITIONS),
    DENSE_CONDITIONS: ("向量＋订单条件", DENSE_CONDITIONS),
    WITHOUT_CONDITIONS: ("话术，不看订单条件", "Huashu without conditions"),
    # dimensions
    "tag": ("标签", "tag"), "emotion": ("情绪", "emotion"), "order_state": ("订单状态", "order state"), "history": ("有无上文", "history"),
    "questions": ("问题数", "questions"), "language": ("语言", "language"), "category": ("商品类目", "product category"), "scenario": ("场景", "scenario"),
    # values
    "emotion calm": ("平静", "calm"), "emotion anxious": ("着急", "anxious"), "emotion upset": ("不满", "upset"), "emotion angry": ("愤怒", "angry"),
    "history yes": ("有上文", "yes"), "history no": ("没有上文", "no"), "questions one": ("一个", "one"), "questions two": ("两个", "two"),
    "language zh": ("中文", "Chinese"), "language en": ("英文", "English"), "category none": ("未涉及商品", "no product"),
    "order_state case": ("售后中", "after-sale case"), "order_state no_order": ("没有订单", "no order"),
    "order_state ended": ("已取消或关闭", "cancelled or closed"),
    "order_state unpaid": ("未付款", "unpaid"), "order_state unshipped": ("未发货", "unshipped"),
    "order_state unshipped_overdue": ("发货超时", "dispatch overdue"), "order_state unshipped_no_stock": ("未发货且缺货", "unshipped, no stock"),
    "order_state shipped": ("运输中", "on its way"), "order_state shipped_late": ("运输中且超时", "on its way, late"),
    "order_state shipped_stalled": ("物流停滞", "stalled"), "order_state delivered": ("已签收", "delivered"),
    "order_state parcel_lost": ("丢件", "parcel lost"),
    "order_state parcel_damaged": ("包裹破损", "parcel damaged"), "order_state parcel_returned": ("包裹退回", "parcel returned"),
    "tag angry": ("激烈情绪", "angry"), "tag contrast": ("只有订单不同", "only the order differs"), "tag date": ("看日期", "dates decide"),
    "tag double": ("两个问题", "two questions"), "tag history": ("要看上文", "needs history"), "tag no_order": ("没有订单", "no order"),
    "tag product": ("看商品", "product decides"), "tag rare": ("少见说法", "rare wording"), "tag traditional": ("繁体", "traditional script"),
    "tag typo": ("错别字", "typos"),
    # stages
    "stage understand": ("理解", "understand"), "stage retrieve": ("查找", "retrieve"), "stage rank": ("排序", "rank"), "stage draft": ("成文", "draft"),
    "stage total": ("合计", "total"),
    # kinds of misses
    "wrong": ("首条不可用", "first draft not acceptable"), "unwanted": ("不该出话术却出了", "a draft where none fits"),
    "silent": ("有话可答却没出", "silent though an answer exists"),
    # signals
    "signal trigger": ("与触发语相近", "near a trigger"), "signal trigger_in_context": ("结合上文与触发语相近", "near a trigger, with history"),
    "signal words": ("与话术正文相近", "near the reply's words"), "signal lexical": ("字面重合", "shared words"), "signal needs": ("诉求一致", "same need"),
    "signal scenario": ("场景一致", "scenario"), "signal cited_article": ("引用条款相关", "cited article is near"),
    "signal trigger_from_best": ("触发语与最近的相比", "trigger against the nearest"),
    "signal needs_from_best": ("诉求与最近的相比", "need against the nearest"),
    "signal scenario_from_best": ("场景与最可能的相比", "scenario against the likeliest"),
    "signal words_from_best": ("正文与最近的相比", "words against the nearest"),
    "signal lexical_from_best": ("字面与最近的相比", "shared words against the most"), "signal unknown": ("条件能否判定", "whether the condition is decided"),
    "signal specific": ("条件具体", "specific condition"), "signal specific_from_best": ("条件与最具体的相比", "condition against the most specific"),
    "signal own_product": ("专为该商品", "written for the product"), "signal lead": ("需主管授权", "needs a lead"),
    "signal tier": ("会员等级", "customer tier"),
    "signal lean_on_history": ("依赖上文", "leans on history"), "signal in_top_scenario": ("属最可能场景", "in the likeliest scenario"),
    "signal message_length": ("消息长短", "message length"), "signal doubt": ("场景拿不准", "doubt about the scenario"),
    "signal other": ("像是答不了的话", "sounds like nothing a shop answers"), "signal best_trigger": ("最近触发语有多近", "how near the nearest trigger is"),
}  # fmt: skip


def named(key: str, *, english: bool) -> str:
    """Gives what a person calls it; a key `kind value` that is not listed gives its value."""
    found = WORDS.get(key)
    if found is None:
        return key.split(" ", 1)[-1]
    return found[1] if english else found[0]
