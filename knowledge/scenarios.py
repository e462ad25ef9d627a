"""Why customers write: the stable ids of the contract and their names. A shop may add its own."""

# Beginnings of the reasons that speak of an order there is, or of what went wrong with it.
AFTER_SALES = ("return.", "exchange", "refund.", "warranty.", "aftersale.", "complaint.", "safety", "logistics.", "order.")

SCENARIOS: dict[str, tuple[str, str]] = {
    "product.spec": ("功能参数、材质、尺寸", "specifications"),
    "product.quality": ("质量、正品疑虑", "quality and authenticity"),
    "product.price": ("比价、嫌贵", "price"),
    "product.recommend": ("选型、搭配推荐", "recommendation"),
    "product.usage": ("使用、安装、调试", "usage"),
    "product.care": ("洗涤、保养、掉色", "care"),
    "product.stock": ("库存、补货、预售", "stock"),
    "promo.coupon": ("优惠券、满减、活动规则", "coupons and promotions"),
    "promo.price_protection": ("保价、买贵补差", "price protection"),
    "payment.method": ("支付方式、分期、支付失败", "payment"),
    "invoice": ("发票、抬头、专票", "invoice"),
    "membership": ("会员、积分权益", "membership"),
    "order.how_to": ("不会下单、找不到入口", "how to order"),
    "order.modify": ("改地址、型号、数量", "changing an order"),
    "order.cancel": ("取消订单", "cancelling"),
    "order.expedite": ("催发货", "chasing dispatch"),
    "order.status": ("查订单状态", "order status"),
    "order.exception": ("缺货、地址错、重复付款等异常", "order trouble"),
    "chat.greeting": ("问候、在吗", "greeting"),
    "chat.wait": ("催回复、排队、要求人工或回电", "waiting for an answer"),
    "chat.closing": ("感谢、道别", "thanks and goodbye"),
    "logistics.booking": ("约送货时间、不在家、自提代收", "delivery appointment"),
    "logistics.track": ("查物流", "tracking"),
    "logistics.delay": ("物流滞留、迟迟不到", "delivery delay"),
    "logistics.damage": ("破损", "damage"),
    "logistics.lost": ("丢件、显示签收未收到", "lost parcel"),
    "logistics.wrong_item": ("错发、漏发、少件", "wrong or missing item"),
    "logistics.fee": ("运费、包邮、退货运费谁出", "shipping fee"),
    "logistics.scope": ("配送范围、指定快递、清关", "delivery area"),
    "return.no_reason": ("七天无理由", "return without reason"),
    "return.quality": ("质量问题退换", "return for quality"),
    "return.used": ("已使用、已洗、影响二次销售", "return of used goods"),
    "exchange": ("换货、换尺码颜色", "exchange"),
    "refund.timing": ("退款多久到账", "when the refund arrives"),
    "refund.status": ("退款进度、退款被拒", "refund status"),
    "warranty.repair": ("保修、维修、过保", "warranty and repair"),
    "complaint.service": ("投诉、客服态度、无人处理", "complaint about service"),
    "complaint.bad_review": ("差评、投诉平台、12315 威胁", "threat of a bad review"),
    "complaint.unreasonable": ("超出规则的要求、十倍赔偿", "demand beyond the rules"),
    "sales.hesitate": ("犹豫、再想想、要优惠", "hesitation"),
    "safety": ("漏电、起火、过敏、受伤、误食", "safety"),
    "product.install": ("约安装、装机费、安装进度", "installation"),
    "aftersale.progress": ("审核、检测、换货进度，修改售后单", "after-sale progress"),
    "aftersale.pickup": ("上门取件、寄回地址与运单", "return pick-up"),
    "account": ("登录、账号、钱包、礼品卡", "account"),
    "chat.other": ("以上都不是", "something else"),
}


def scenario_name(scenario: str, *, language: str) -> str:
    """Gives the name a person reads; the id itself for a shop's own scenario."""
    names = SCENARIOS.get(scenario)
    if names is None:
        return scenario
    return names[1] if language == "en" else names[0]
