<?php
/**
 * A field of the comment form that people don't see. Who fills it is most likely a program: the service holds that.
 *
 * @package Comment_Moderation
 */

namespace Comment_Moderation;

defined( 'ABSPATH' ) || exit;

/** A name that no form filler of a browser knows, and that says nothing to programs. */
const HIDDEN_FIELD = 'comment_topic';

add_action( 'comment_form', __NAMESPACE__ . '\\show_hidden_field', 10, 0 );

/**
 * Puts the field into the form. It is moved out of sight and out of reach of keyboard and screen reader; where styles
 * are switched off, its label tells people what to do. The rules stand here, for a theme may lack the class.
 */
function show_hidden_field(): void {
	if ( ! is_configured() ) {
		return;
	}
	printf(
		'<p class="screen-reader-text" aria-hidden="true" style="position:absolute;width:1px;height:1px;margin:-1px;overflow:hidden;clip-path:inset(50%%);white-space:nowrap"><label for="%1$s">%2$s</label> <input type="text" id="%1$s" name="%1$s" value="" tabindex="-1" autocomplete="off"></p>',
		esc_attr( HIDDEN_FIELD ),
		esc_html__( 'Leave this field empty', 'comment-moderation' )
	);
}

/**
 * Whether the form that this request brought has the field filled.
 */
function is_hidden_field_filled(): bool {
	// phpcs:ignore WordPress.Security -- what it says is not used, and WordPress's comment form has no nonce.
	$value = $_POST[ HIDDEN_FIELD ] ?? '';
	return ! is_string( $value ) || '' !== trim( $value );
}
